"""What goes wrong is told in Vietnamese and English, with the right ending and never as a traceback."""

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

import policies
import search
import signing
import storage
import vault
from policies.wording import codes
from reuse_api import problem_words
from reuse_api.__main__ import run
from reuse_api.commands.ending import EXPECTED, CommandFailed, Ending
from reuse_api.commands.error_sentences import CODES, SENTENCES
from reuse_api.commands.error_words import error_words, in_vietnamese
from reuse_api.commands.speaking import language_of
from reuse_api.settings import Settings, variable
from signing.keys_file import FileKey
from storage.errors import MasterKeyMissing, SealBroken
from tests.servers.pki import Pki
from vault.errors import FieldInvalid, VaultBusy

ROOT = Path(__file__).parents[3]
PACKAGES = (vault, storage, signing, policies, search)
BY_OTHERS = (  # said by libraries and the system
    *("Missing ", "No such ", "Got ", "Option ", "Invalid ", "Value ", "file ", "dir ", "path ", "{kind} "),
    *("{name} is not one", "{name} does not match", "Input ", "{rows}: "),
    *("database or disk is full", "disk I/O error"),
)


def errors(found: type[Exception]) -> set[type[Exception]]:
    return {found}.union(*(errors(one) for one in found.__subclasses__()))


def test_every_expected_error_has_words_in_vietnamese() -> None:
    for package in PACKAGES:
        for module in pkgutil.iter_modules(package.__path__):
            import_module(f"{package.__name__}.{module.name}")
    ours = set().union(*(errors(one) for one in EXPECTED if one not in (OSError, CommandFailed)))
    known = {str(vars(one)["code"]) for one in ours if isinstance(vars(one).get("code"), str)}
    assert known - set(CODES) - set(problem_words.ROWS) - codes() == set()
    assert set(CODES) - known == {"settings_invalid"}, "no words for what there is no error of"


def test_every_sentence_is_said_somewhere_and_keeps_its_values() -> None:
    sources = "".join(
        file.read_text("utf-8")
        for package in ("vault", "storage", "signing", "reuse_api")
        for file in sorted((ROOT / package).rglob("*.py"))
        if file.name != "error_sentences.py"
    )
    sources = re.sub(r'"\s*\n\s*f?"', "", sources)
    for english, vietnamese in SENTENCES.items():
        values = re.compile(r"\{(\w+)\}")
        assert set(values.findall(vietnamese)) <= set(values.findall(english)), english
        if english[:1].isupper() and english.count(" ") < 5 and "{" not in english:
            continue  # the system's
        if not english.startswith(BY_OTHERS):
            # A storage error's docstring, and behind it in brackets where it happened.
            parts = [part for one in values.split(english)[::2] for part in re.split(r" \(|\)$|: run ", one)]
            assert [part for part in parts if part.strip() not in sources] == [], english


@pytest.mark.parametrize(
    ("problem", "vi", "en"),
    [
        (PermissionError(13, "Permission denied", "/a b"), "/a b: không có quyền", "/a b: Permission denied"),
        (FileExistsError("a seal key is registered for agency H26 already"), "cơ quan H26 đã có", "already"),
        (MasterKeyMissing("no folder keys"), "không có thư mục keys", "(no folder keys)"),
        (SealBroken("something new"), "bằng khóa này (something new)", "(something new)"),
        (VaultBusy(), problem_words.ROWS["vault_busy"].vi, "The log cannot take the entry now"),
        (
            FieldInvalid("reason", "too_long"),
            f"reason: {problem_words.ROWS['too_long'].vi}",
            "reason: The value is too",
        ),
        (CommandFailed("đã nói rồi"), "đã nói rồi", "đã nói rồi"),
        (ValueError("one\ntwo"), "one two", "one two"),
    ],
)
def test_an_error_is_one_line_in_the_language_asked_for(problem: Exception, vi: str, en: str) -> None:
    assert vi in error_words(problem, "vi") and en in error_words(problem, "en")
    assert "\n" not in error_words(problem, "vi")


def test_a_sentence_within_a_sentence_is_told_too() -> None:
    assert in_vietnamese("Invalid value for '--report': Input should be greater than or equal to 1") == (
        "Giá trị của '--report' không dùng được: phải từ 1 trở lên"
    )
    assert in_vietnamese("something that nobody says") is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["renew", "--lang", "vi"], "vi"),
        (["renew", "--lang=vi"], "vi"),
        (["renew", "--lang"], "en"),
        (["renew", "--lang", "fr"], "en"),
    ],
)
def test_the_language_is_known_before_the_command_line_is_read(
    arguments: list[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert language_of(arguments) == expected


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with a few files, no vault, and no settings but that of the keys."""
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.chdir(tmp_path)
    Path("keys").mkdir(mode=0o700)
    monkeypatch.setenv("KHO_KEYS", "keys")
    for name in ("text", "secret"):
        Path(name).write_text("text\n")
        Path(name).chmod(0o600)
    return tmp_path


REMOTE = ["seal-key", "add-remote", "H26", "--client-id", "c"]
TOKEN = ["seal-key", "add-token", "H26", "text", "--token", "t"]
WRONG, FAILED = Ending.WRONG_COMMAND_LINE, Ending.FAILED


@pytest.mark.parametrize(
    ("arguments", "ends", "vi", "en"),
    [
        (["seal-key", "nonsense"], WRONG, "Không có lệnh 'nonsense'", "No such command"),
        (["seal-key", "add-file"], WRONG, "Thiếu đối số", "Missing argument"),
        (["seal-key", "add-file", "H26", "none"], WRONG, "không có tệp 'none'", "does not exist"),
        (["seal-key", "add-file", "H26", "keys"], WRONG, "là thư mục", "is a directory"),
        (["seal-key", "add-file", "H26", "text"], FAILED, "text không chứa chứng thư", "no certificate"),
        (
            ["seal-key", "add-file", "H26", "text", "--passphrase-file", "none"],
            FAILED,
            "không có none",
            "not",
        ),
        ([*TOKEN], WRONG, "Thiếu tùy chọn '--module'", "Missing option"),
        ([*TOKEN, "--module", "none", "--pin-file", "none"], WRONG, "không có tệp 'none'", "does not exist"),
        ([*TOKEN, "--module", "text", "--pin-file", "none"], FAILED, "chứng thư", "no certificate"),
        ([*REMOTE, "ftp://x", "--secret-file", "secret"], FAILED, "phải bắt đầu bằng http", "expected an"),
        ([*REMOTE, "https://127.0.0.1:9", "--secret-file", "none"], FAILED, "không có ", "is not there"),
        (
            [*REMOTE, "https://127.0.0.1:9", "--secret-file", "secret", "--authorities", "none"],
            WRONG,
            "không có tệp 'none'",
            "does not exist",
        ),
        (
            [*REMOTE, "https://127.0.0.1:9", "--secret-file", "secret", "--authorities", "text"],
            FAILED,
            "text không chứa chứng thư nào",
            "text holds no certificate",
        ),
        (["seal-key", "image", "H26", "none"], WRONG, "không có tệp 'none'", "does not exist"),
        (["seal-key", "images"], FAILED, "không có cơ sở dữ liệu nào", "there is no database"),
        (["agency-certificate", "list"], FAILED, "không có cơ sở dữ liệu nào", "there is no database"),
        (
            ["agency-certificate", "end", "H26", "x", "--reason", "x"],
            WRONG,
            "Thiếu tùy chọn",
            "Missing option",
        ),
        (
            ["agency-certificate", "add", "H26", "text", "--reason", "x", "--from", "soon"],
            WRONG,
            "'soon' không đúng dạng",
            "does not match",
        ),
        (["import", "trusted-list", "text", "--into", "none"], WRONG, "không có thư mục 'none'", "not exist"),
        (["revalidate"], FAILED, "không có kho nào", "there is no vault"),
        (["revalidate", "--repeat", "x", "--report", "0"], WRONG, "phải từ 1 trở lên", "greater than"),
        (["renew", "--window", "3651"], WRONG, "không được quá 3650", "less than or equal to 3650"),
        (["renew", "--window", "x"], WRONG, "phải là số nguyên", "valid integer"),
        (["renew"], FAILED, "không có kho nào", "there is no vault"),
        (["dead-letters", "x"], WRONG, "Thừa đối số: x", "unexpected extra"),
        (["dead-letters", "--repaly"], WRONG, "Không có tùy chọn --repaly", "No such option"),
        (["dead-letters"], FAILED, "không có cơ sở dữ liệu nào", "there is no database"),
        (["dead-letters", "--replay"], FAILED, "không có kho nào", "there is no vault"),
        (["migrate"], FAILED, "`kho serve --create` tạo ra một kho", "`kho serve --create` makes one"),
    ],
)
def test_a_command_that_cannot_do_it_says_why_in_both_languages(
    bare: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    ends: Ending,
    vi: str,
    en: str,
) -> None:
    for language, words in (("vi", vi), ("en", en)):
        assert run([*arguments, "--lang", language]) == ends
        out, err = capsys.readouterr()
        assert (out, "Traceback" in err) == ("", False)
        assert words in err.splitlines()[-1], err
        assert "Lỗi:" not in err if language == "en" else "Error:" not in err


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run([*arguments, "--lang", "vi"]) == Ending.FAILED
    return capsys.readouterr().err


def test_keys_that_others_reach_and_rows_that_are_none_are_told_of(
    bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("keys").chmod(0o755)
    assert "keys có quyền 755, phải là 700" in told(capsys, "seal-key", "list")
    with pytest.MonkeyPatch.context() as setting:
        setting.setenv("KHO_DATABASE", "garbage")
        Path("garbage").write_bytes(b"no database at all, whatever it is named" * 99)
        for command in (("dead-letters",), ("agency-certificate", "list"), ("migrate",)):
            assert "garbage không phải cơ sở dữ liệu\n" in told(capsys, *command)


def test_a_folder_that_cannot_be_written_is_named(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pki = Pki()
    holder = pki.seal("Ủy ban nhân dân xã Hoà Thắng")
    FileKey(holder.private, holder.chain).to_pem(Path("seal.pem"))
    Path("trust/public").mkdir(parents=True)
    Path("trust/public/root.pem").write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    Path("keys/seal").write_bytes(b"")
    Path("keys/seal").chmod(0o600)
    with pytest.MonkeyPatch.context() as setting:
        setting.setenv("KHO_TRUST", "trust")
        assert "keys/seal: đã có tệp này" in told(capsys, "seal-key", "add-file", "H26", "seal.pem")
