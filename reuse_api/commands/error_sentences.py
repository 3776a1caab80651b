"""English sentences of errors and their Vietnamese; values stand in braces, `why...` is a sentence again."""

from collections.abc import Mapping

_USAGE = {
    "Missing argument {name}.": "Thiếu đối số {name}.",
    "Missing option {name}.": "Thiếu tùy chọn {name}.",
    "Missing command.": "Thiếu lệnh.",
    "No such command {name}.": "Không có lệnh {name}.",
    "No such option: {name}": "Không có tùy chọn {name}",
    "No such option: {name} (Possible options: {known})": "Không có tùy chọn {name} (có thể là: {known})",
    "Got unexpected extra argument(s) ({name})": "Thừa đối số: {name}",
    "Option {name} requires an argument.": "Tùy chọn {name} cần một giá trị.",
    "Option {name} does not take a value.": "Tùy chọn {name} không nhận giá trị.",
    "Invalid value for {name}: {why}": "Giá trị của {name} không dùng được: {why}",
    "Invalid value: {why}": "Giá trị không dùng được: {why}",
    "Value error, {why}": "{why}",
    "file {path} does not exist.": "không có tệp {path}.",
    "dir {path} does not exist.": "không có thư mục {path}.",
    "path {path} does not exist.": "không có {path}.",
    "{kind} {path} is a directory.": "{path} là thư mục, không phải tệp.",
    "{kind} {path} is a file.": "{path} là tệp, không phải thư mục.",
    "{kind} {path} is not readable.": "không đọc được {path}.",
    "{kind} {path} is not writable.": "không ghi được vào {path}.",
    "{name} is not one of {known}.": "{name} không thuộc các giá trị {known}.",
    "{name} does not match the formats {known}.": "{name} không đúng dạng {known}.",
    "{name} does not match the format {known}.": "{name} không đúng dạng {known}.",
    "Input should be greater than or equal to {least}": "phải từ {least} trở lên",
    "Input should be less than or equal to {most}": "không được quá {most}",
    "Input should be a valid integer, unable to parse string as an integer": "phải là số nguyên",
    "Input should be a valid number, unable to parse string as a number": "phải là số",
}
_SYSTEM = {
    "Permission denied": "không có quyền",
    "Operation not permitted": "không được phép",
    "Read-only file system": "hệ thống tệp chỉ cho đọc",
    "No space left on device": "đĩa đã đầy",
    "Disk quota exceeded": "đã hết hạn mức đĩa",
    "No such file or directory": "không có tệp hay thư mục này",
    "Not a directory": "không phải thư mục",
    "Is a directory": "là thư mục, không phải tệp",
    "database or disk is full": "đĩa đã đầy",
    "disk I/O error": "đĩa không nhận ghi thêm",
    "File exists": "đã có tệp này",
    "File too large": "tệp quá lớn",
    "File name too long": "tên tệp quá dài",
    "Input/output error": "lỗi đọc ghi của đĩa",
    "Too many open files": "mở quá nhiều tệp",
    "Address already in use": "địa chỉ này đang có chương trình khác dùng",
    "Connection refused": "nơi được gọi từ chối kết nối",
}
_VAULT = {
    "there is no vault at {rows} and no keys at {keys}": (
        "không có kho nào ở {rows} và không có khóa ở {keys}"
    ),
    "{rows}: unable to open database file": (
        "không mở được cơ sở dữ liệu {rows}; thư mục của nó phải ghi được"
    ),
    "{rows}: file is not a database": "{rows} không phải cơ sở dữ liệu",
    "there is no database at {rows}": "không có cơ sở dữ liệu nào ở {rows}",
    "{why}; `kho serve --create` makes one": "{why}; `kho serve --create` tạo ra một kho",
    "the vault at {rows} was never finished: run again what was making it "
    "(`kho serve --create`, `kho demo`)": (
        "kho ở {rows} chưa được tạo xong: hãy chạy lại lệnh đã tạo nó (`kho serve --create`, `kho demo`)"
    ),
    "{there} is there but {gone} is not: a vault and its keys belong together; put {back} back, or remove "
    "all of it (rows, bytes, log, keys) to begin anew": (
        "có {there} nhưng không có {gone}: kho và khóa phải đi cùng nhau; hãy đưa {back} trở lại, hoặc xóa "
        "hết (cơ sở dữ liệu, nội dung, nhật ký, khóa) để bắt đầu từ đầu"
    ),
    "{rows} was never restored to the end: run `kho restore` again, from {peer}": (
        "{rows} chưa được khôi phục xong: hãy chạy lại `kho restore` từ {peer}"
    ),
    "the move to {rows} has not ended: run `kho move` again where it was begun": (
        "việc chuyển tới {rows} chưa xong: hãy chạy lại `kho move` ở nơi đã bắt đầu"
    ),
    "{rows} is being moved to {peer}: run `kho move` again, or give it up by `kho move --give-up`": (
        "{rows} đang được chuyển tới {peer}: hãy chạy lại `kho move`, hoặc bỏ bằng `kho move --give-up`"
    ),
    "{rows} was moved to {peer}: the vault is served there, and never again from here": (
        "{rows} đã được chuyển tới {peer}: kho được phục vụ ở đó và không bao giờ từ đây nữa"
    ),
    "the bytes at {store} were moved to {peer}: set KHO_STORE to that": (
        "nội dung ở {store} đã được chuyển tới {peer}: hãy đặt KHO_STORE theo đó"
    ),
    "{folder} holds other things: {name}": "{folder} đang chứa thứ khác: {name}",
    "{folder} is no folder": "{folder} không phải thư mục",
    "another backup is being made in {folder}": "một bản sao lưu khác đang được làm trong {folder}",
    "{keys} and {backups} lie in one another": "{keys} và {backups} nằm trong nhau",
    "{place} lies within {own}, which is the vault's own, or around it": (
        "{place} nằm trong {own} là thư mục của chính kho, hoặc bao lấy nó"
    ),
    "{folder} has no {name}: it was cut before its end, or is no backup": (
        "{folder} không có {name}: bản sao lưu bị cắt ngang, hoặc không phải bản sao lưu"
    ),
    "{folder} holds one backup, and it was cut before its end": (
        "{folder} chỉ có một bản sao lưu, và nó bị cắt ngang trước khi xong"
    ),
    "{folder} holds no backup: there is no {name} in it": (
        "{folder} không có bản sao lưu nào: trong đó không có {name}"
    ),
    "{count} entries were signed, the backup holds {size}: what came after is lost, and the log can go on "
    "only under a new name that says so; give --new-origin": (
        "đã ký {count} mục nhật ký, bản sao lưu có {size}: phần sau đã mất, và nhật ký chỉ tiếp tục được "
        "dưới một tên mới nói rõ điều đó; hãy thêm --new-origin"
    ),
    "copied keys do not know what was signed after they were copied: give --new-origin, which is always "
    "safe, or --same-origin if you know that the vault signed nothing after this backup": (
        "khóa sao chép không biết điều gì đã được ký sau khi chép: hãy thêm --new-origin, luôn an toàn, hoặc "
        "--same-origin nếu biết chắc kho không ký gì sau bản sao lưu này"
    ),
    "{mark} says that something else was begun here and never ended": (
        "{mark} cho biết việc khác đã bắt đầu ở đây và chưa xong"
    ),
    "the rows could not be written to {rows}: {why}; put that right (room on the disk, `ulimit -f`) and run "
    "the same command again: it goes on": (
        "chưa ghi được hết dữ liệu vào {rows}: {why}; hãy khắc phục (chỗ trống trên đĩa, `ulimit -f`) rồi "
        "chạy lại đúng lệnh này: nó làm tiếp"
    ),
    "rows are at {rows}; {why}": "đã có dữ liệu ở {rows}; {why}",
    "bytes are in {store}: {name}, for one; {why}": "đã có nội dung ở {store}, chẳng hạn {name}; {why}",
    "carry them away or name an empty place (what a move left that was given up may be removed)": (
        "hãy chuyển đi trước hoặc nêu nơi còn trống (phần còn lại của việc chuyển đã bỏ thì xóa được)"
    ),
    "a log is published in {folder}: {names}; carry it away first": (
        "đã có nhật ký công bố ở {folder}: {names}; hãy chuyển nó đi trước"
    ),
    "keys are in {folder}; restore without --keys-from, or carry them away first": (
        "đã có khóa ở {folder}; hãy khôi phục không kèm --keys-from, hoặc chuyển chúng đi trước"
    ),
    "{path} is held; stop the running `kho serve` or `kho demo` first": (
        "{path} đang được dùng; hãy dừng `kho serve` hoặc `kho demo` đang chạy trước"
    ),
    "other processes have {rows} open; stop every `kho serve` on it first": (
        "các tiến trình khác đang mở {rows}; hãy dừng mọi `kho serve` dùng nó trước"
    ),
    "{address} is being migrated, moved or swept; wait for that to end": (
        "{address} đang được nâng cấp, chuyển chỗ hoặc dọn dẹp; hãy đợi việc đó xong"
    ),
    "{rows} is at version {found}, this Kho is at {wanted}; run `kho migrate`": (
        "{rows} ở phiên bản {found}, bản Kho này ở {wanted}; hãy chạy `kho migrate`"
    ),
    "the rows are at version {found}, which this Kho, at {wanted}, does not know: they are newer; install "
    "the newer Kho": (
        "cơ sở dữ liệu ở phiên bản {found} mà bản Kho này ({wanted}) không biết: nó mới hơn; "
        "hãy cài bản Kho mới hơn"
    ),
    "A key that this vault needs is not in its folder. (no folder {path}; give a copy of the keys by "
    "--keys-from)": (
        "Thiếu khóa mà kho này cần: không có thư mục {path}; hãy nêu bản sao khóa bằng --keys-from"
    ),
    "A key that this vault needs is not in its folder. ({path}; give a copy of the keys by --keys-from)": (
        "Thiếu khóa mà kho này cần: không có {path}; hãy nêu bản sao khóa bằng --keys-from"
    ),
    "A key that this vault needs is not in its folder. (no folder {path})": (
        "Thiếu khóa mà kho này cần: không có thư mục {path}"
    ),
    "A key that this vault needs is not in its folder. ({path})": (
        "Thiếu khóa mà kho này cần: không có {path}"
    ),
    "The key folder can be reached by others, so it is not used. ({path} has mode {mode}, wanted {wanted})": (
        "Người khác vào được thư mục khóa nên không dùng nó: {path} có quyền {mode}, phải là {wanted}"
    ),
    "The key folder can be reached by others, so it is not used. "
    "({path} belongs to user {user}, not {own})": (
        "Người khác vào được thư mục khóa nên không dùng nó: {path} thuộc người dùng {user}, không phải {own}"
    ),
    "the file that was judged is kept no more": "tệp đã được xét không còn được giữ",
    "nothing was kept of what it stood on": "không còn giữ những gì kết luận đó dựa vào",
    "it was judged by rules {then}, these are {now}": "khi đó xét theo quy tắc {then}, nay là {now}",
    "the file is another since then": "từ đó đến nay tệp đã là tệp khác",
}
_PARTS = {
    "the {part} does not answer at {place}: {why}": "{part} không trả lời ở {place}: {why}",
    "another process listens at {place}": "một tiến trình khác đang nghe ở {place}",
    "{place} is there and is no socket": "{place} đã có và không phải socket",
    "{folder} is no folder": "{folder} không phải thư mục",
    "everybody may write to {folder} and listen there: chmod o-w": (
        "ai cũng ghi được vào {folder} và nghe ở đó được: hãy chmod o-w"
    ),
    "a group may write to {folder} and listen there: chmod g-w": (
        "một nhóm ghi được vào {folder} và nghe ở đó được: hãy chmod g-w"
    ),
    "{folder} belongs to user {owner}, but user {listener} listens there": (
        "{folder} thuộc người dùng {owner}, nhưng người dùng {listener} nghe ở đó"
    ),
    "everybody may write to {folder} and put another folder there: chmod o-w": (
        "ai cũng ghi được vào {folder} và đặt thư mục khác ở đó được: hãy chmod o-w"
    ),
    "the {part} is not asked at {place}: {why}": "không hỏi {part} ở {place}: {why}",
    "these rows know of no {part} yet: `kho {command} --create` makes it": (
        "cơ sở dữ liệu này chưa biết {part} nào: hãy chạy `kho {command} --create`"
    ),
    "these rows belong to another {part}: put its own keys back": (
        "cơ sở dữ liệu này thuộc {part} khác: hãy đưa khóa của chính nó trở lại"
    ),
    "these rows belong to another index key: put their own one back": (
        "cơ sở dữ liệu này thuộc khóa chỉ mục khác: hãy đặt lại khóa của nó"
    ),
    "these rows belong to another master key: put their own one back": (
        "cơ sở dữ liệu này thuộc khóa chủ khác: hãy đưa khóa của chính nó trở lại"
    ),
    "these rows hold {count} entries of a vault that was made in one process: `kho keys split`": (
        "cơ sở dữ liệu này có {count} mục của một kho tạo trong một tiến trình: hãy dùng `kho keys split`"
    ),
    "the signer at {place} signs another log than the one that is pinned": (
        "tiến trình ký ở {place} ký nhật ký khác với nhật ký đã định"
    ),
    "the gate at {place} opens by another log than the one signed here": (
        "cổng khóa ở {place} mở theo nhật ký khác với nhật ký được ký ở đây"
    ),
    "the gate at {place} has another KHO_ISSUER than this process": (
        "cổng khóa ở {place} có KHO_ISSUER khác với tiến trình này"
    ),
    "whose log is it? Give KHO_LOG_KEY, or KHO_SIGNER to ask there once": (
        "nhật ký của ai? Hãy đặt KHO_LOG_KEY, hoặc KHO_SIGNER để hỏi một lần"
    ),
    "there are no tables at {rows}: `kho migrate --create` makes them": (
        "chưa có bảng nào ở {rows}: hãy chạy `kho migrate --create`"
    ),
    "--rights is for rows in PostgreSQL: an SQLite file has no users": (
        "--rights chỉ dành cho PostgreSQL: tệp SQLite không có người dùng"
    ),
    "the database has no user {name}: docs/server/roles.sh makes them": (
        "cơ sở dữ liệu không có người dùng {name}: docs/server/roles.sh tạo các người dùng này"
    ),
    "rows in a file are for one process: several need PostgreSQL": (
        "cơ sở dữ liệu trong tệp chỉ dành cho một tiến trình: nhiều tiến trình cần PostgreSQL"
    ),
    "{folder} is there already: name a new folder": "đã có {folder}: hãy nêu thư mục mới",
    "{name} is needed too: all three are given, or none": "cần cả {name}: đặt cả ba, hoặc không đặt gì",
    "{name}: several processes need PostgreSQL": "{name}: nhiều tiến trình cần PostgreSQL",
    '{name} says where to listen: "unix:PATH"': '{name} nói nghe ở đâu: "unix:ĐƯỜNG_DẪN"',
}
_SETTINGS = {
    "{name} is no setting of Kho; known are {known}": (
        "{name} không phải cài đặt của Kho; các cài đặt có là {known}"
    ),
    "{name}: there is no such folder": "{name}: không có thư mục này",
    "{name}: no certificates can be read from that file": "{name}: không đọc được chứng thư nào từ tệp đó",
    "{name}: no anchor is trusted for signatures, so no key can be checked": (
        "{name}: chưa tin cậy gốc nào cho chữ ký nên không kiểm tra được khóa nào"
    ),
    "{name}: expected {what}": "{name}: phải có dạng {what}",
}
_SEAL_KEYS = {
    "a seal key is registered for agency {agency} already": "cơ quan {agency} đã có khóa ký được đăng ký",
    "no seal key is registered for agency {agency}": "chưa có khóa ký nào được đăng ký cho cơ quan {agency}",
    "an agency code cannot name a key file": "mã cơ quan này không đặt được tên cho tệp khóa",
    "{path} holds no certificate": "{path} không chứa chứng thư nào",
    "{path} needs a passphrase": "{path} cần mật khẩu mở khóa",
    "the passphrase does not open {path}": "mật khẩu không mở được {path}",
    "{path} holds no seal key": "{path} không chứa khóa ký",
    "{path} holds no P-256 or RSA key": "{path} không chứa khóa P-256 hay RSA",
    "{path} can be read by others (mode {mode}); it must be 600": (
        "người khác đọc được {path} (quyền {mode}); quyền phải là 600"
    ),
    "{path} is not there": "không có {path}",
    "{path} cannot be read: {why}": "không đọc được {path}: {why}",
    "{path} is too long": "{path} quá dài",
    "{path} holds no secret in its first line": "dòng đầu của {path} không có bí mật nào",
    "a seal key must be a P-256 key, or an RSA key of 2048 to 8192 bits": (
        "khóa ký phải là khóa P-256, hoặc khóa RSA từ 2048 đến 8192 bit"
    ),
    "the certificate belongs to another key": "chứng thư thuộc về khóa khác",
    "a seal key needs its certificate": "khóa ký phải kèm chứng thư của nó",
    "the certificate of the seal key cannot be read": "không đọc được chứng thư của khóa ký",
    "the public key of the certificate cannot be read": "không đọc được khóa công khai của chứng thư",
    "the certificate is good from {first} to {last}, and not now": (
        "chứng thư có hiệu lực từ {first} đến {last}, không phải lúc này"
    ),
    "the certificate is not for signatures that commit to content (key usage)": (
        "chứng thư không dùng để ký xác nhận nội dung (key usage)"
    ),
    "the certificate does not lead to an anchor that is trusted here": (
        "chứng thư không dẫn tới gốc nào được tin cậy ở đây"
    ),
    "the id of a key in a token is written in hexadecimal": "mã khóa trong thiết bị phải viết ở hệ 16",
    "a key in a token is named by its label or its id": "phải nêu nhãn hoặc mã của khóa trong thiết bị",
    "the token holds no such key": "thiết bị không có khóa này",
    "the token holds several keys of that name": "thiết bị có nhiều khóa cùng tên này",
    "the key in the token is of another kind than its certificate, or may not sign": (
        "khóa trong thiết bị khác loại với chứng thư, hoặc không được phép ký"
    ),
    "the token cannot be used: {what}": "không dùng được thiết bị: {what}",
    "the PIN is not the token's": "mã PIN không phải của thiết bị này",
    "the token refuses the PIN: {what}": "thiết bị từ chối mã PIN: {what}",
    "the PIN is no text": "mã PIN không phải văn bản",
    "the address of the signing service: {why}": "địa chỉ của dịch vụ ký số: {why}",
    "expected an address that begins with http:// or https://, without a user's name": (
        "phải bắt đầu bằng http:// hoặc https://, không kèm tên người dùng"
    ),
    "the signing service did not answer: {what}": "dịch vụ ký số không trả lời: {what}",
    "the signing service refuses: {what}": "dịch vụ ký số từ chối: {what}",
    "the signing service does not know us: {what}": "dịch vụ ký số không nhận ra chúng ta: {what}",
    "the signing service gave no token": "dịch vụ ký số không cấp token",
    "the signing service authorised nothing": "dịch vụ ký số không cho phép ký",
    "what the signing service tells of the credential cannot be read": (
        "không đọc được điều dịch vụ ký số nói về định danh ký số"
    ),
}
SENTENCES: Mapping[str, str] = {**_USAGE, **_SYSTEM, **_VAULT, **_PARTS, **_SETTINGS, **_SEAL_KEYS}

# Errors whose code has no words elsewhere: what they are, where no sentence says more.
CODES: Mapping[str, str] = {
    "vault_error": "Kho không làm được việc này",
    "store_unavailable": "Nơi lưu trữ tạm thời không dùng được",
    "part_away": "Một bộ phận của kho (ký nhật ký, cổng khóa hoặc ký số) chưa trả lời",
    "peer_refused": "Tiến trình kia không nhận lời gọi của người dùng này; KHO_PEERS của nó không nêu tên",
    "socket_invalid": "Không đặt được socket ở đó",
    "frame_malformed": "Dữ liệu qua socket không phải của Kho",
    "frame_cut": "Bên kia rời đi giữa chừng",
    "vault_locked": "Một tiến trình khác đang mở kho này để ghi; hãy dừng nó trước",
    "vault_incomplete": "Kho và khóa của nó phải đi cùng nhau, và đang thiếu một bên",
    "schema_mismatch": "Cơ sở dữ liệu ở phiên bản khác; hãy chạy `kho migrate`",
    "log_forked": "Nhật ký khác với những gì đã ký hoặc công bố; không ký gì thêm cho tới khi rõ vì sao",
    "log_behind": "Cơ sở dữ liệu có ít mục hơn đã ký: đây là bản sao cũ; hãy khôi phục bản mới nhất",
    "renewal_invalid": "Tệp sau gia hạn không kiểm tra được; giấy tờ giữ tệp đang có",
    "report_not_repeatable": "Không tìm lại được kết luận này từ những gì đã giữ",
    "vault_elsewhere": "Kho không được phục vụ từ đây: nó đã hoặc đang được chuyển, hoặc chưa khôi phục xong",
    "backup_cut": "Không có bản kê: bản sao lưu bị cắt ngang, hoặc không phải bản sao lưu",
    "backup_damaged": "Bản sao lưu không đúng với bản kê của nó; không khôi phục gì từ đó",
    "backup_place_taken": "Không giữ bản sao lưu trong thư mục này được",
    "backup_unwritable": "Không ghi xong bản sao lưu; các bản trước còn nguyên. Hãy chạy lại: nó làm tiếp",
    "rows_file_damaged": "Không đọc được tệp dữ liệu của bản sao lưu",
    "rows_undumpable": "Có cột thuộc loại không ghi vào tệp dữ liệu được",
    "rows_unwritten": "Chưa ghi được hết dữ liệu; không phục vụ gì từ đó",
    "rows_unfit": "Dữ liệu không vừa với cơ sở dữ liệu này",
    "keys_together": "Khóa và bản sao lưu phải để riêng: ai có cả hai thì đọc được tất cả",
    "places_together": "Nội dung phải ở thư mục riêng: không trong khóa, nhật ký, thư mục tạm hay nơi lưu cũ",
    "keys_foreign": "Đây không phải khóa của kho đã được sao lưu",
    "place_not_empty": "Chỉ khôi phục hoặc chuyển vào nơi còn trống",
    "origin_needed": "Nhật ký phải tiếp tục dưới tên mới, và điều đó do người quyết định",
    "restore_failed": "Thứ khôi phục được khác với thứ đã sao lưu; nó chưa phải kho, dấu vẫn còn",
    "nothing_to_move": "Cơ sở dữ liệu và nơi lưu ở đích chính là của kho này",
    "move_failed": "Thứ tới nơi khác với thứ đã có; nguồn còn nguyên, có thể bỏ việc chuyển",
    "rows_unreadable": "Không mở hoặc không đọc được cơ sở dữ liệu",
    "settings_invalid": "Cài đặt không dùng được",
    "signing_error": "Không tạo hoặc không kiểm tra được bằng chứng",
    "rewriting_failed": "Tiến trình làm việc không tạo được tệp mới từ tệp này",
    "worker_failed": "Các tiến trình kiểm tra tệp không chạy",
    "growth_malformed": "Bằng chứng nhật ký chỉ dài thêm bị sai dạng",
    "leaf_malformed": "Mục nhật ký sai dạng",
    "note_invalid": "Điểm kiểm sai dạng hoặc sai chữ ký",
    "proof_invalid": "Bằng chứng không đúng",
    "receipt_malformed": "Biên nhận sai dạng",
    "storage_failed": "Nơi lưu nội dung không làm được việc này",
    "store_address_unsupported": "Không có loại nơi lưu nào cho địa chỉ này",
    "store_refused": "Nơi lưu nội dung không chấp nhận thông tin đăng nhập này",
    "store_not_trusted": "Không tin chứng thư của máy chủ lưu trữ: hết hạn, sai tên hay không rõ ai cấp",
    "store_bucket_missing": "Máy chủ lưu trữ không có bucket này; Kho không tự tạo",
    "store_cannot_lock": "Bucket không khóa được nội dung đã ghi",
    "store_credentials_unusable": "Không dùng được tệp thông tin đăng nhập của nơi lưu",
    "blob_conflict": "Dưới tên này đã lưu nội dung khác",
    "blob_damaged": "Nội dung đã lưu không phải nội dung đã niêm phong",
    "blob_key_invalid": "Tên của nội dung sai dạng",
    "blob_missing": "Không lưu gì dưới tên này",
    "master_key_damaged": "Tệp khóa không chứa khóa đúng độ dài",
    "master_key_exposed": "Người khác vào được thư mục khóa nên không dùng nó",
    "master_key_missing": "Thiếu khóa mà kho này cần",
    "seal_broken": "Không mở được giá trị đã niêm phong bằng khóa này",
    "policy_error": "Bộ quy tắc báo lỗi",
    "book_invalid": "Bộ quy tắc tự mâu thuẫn hoặc còn thiếu",
    "edit_invalid": "Không nhận được chỉnh sửa danh mục này",
    "facts_unreadable": "Không đọc được dữ kiện đã ghi",
    "package_unreadable": "Không đọc được gói thủ tục",
    "field_invalid": "Không nhận được giá trị này",
    "search_failed": "Không tìm kiếm được",
    "query_invalid": "Không tìm được những từ này",
    "index_address_invalid": "Địa chỉ này không thể là của chỉ mục tìm kiếm nào",
    "index_unavailable": "Lúc này không đọc hay ghi được chỉ mục tìm kiếm",
    "index_not_trusted": "Không tin chứng thư của máy chủ tìm kiếm: hết hạn, sai tên hay không rõ ai cấp",
    "index_credentials_refused": "Máy chủ tìm kiếm không chấp nhận thông tin đăng nhập này",
    "index_credentials_unusable": "Không dùng được tệp thông tin đăng nhập của máy chủ tìm kiếm",
    "index_read_only": "Lúc này chỉ mục tìm kiếm không nhận gì, thường vì đĩa của máy chủ tìm kiếm gần đầy",
    "index_busy": "Lúc này một tiến trình khác đang ghi chỉ mục nhúng",
    "index_name_taken": "Tên của chỉ mục đã thuộc về thứ không do Kho lập; hãy đặt tên khác, hoặc bỏ thứ đó",
    "documents_refused": "Chỉ mục không nhận những giấy tờ này; các giấy tờ khác đã được ghi",
    "content_unread": "Lúc này không đọc được các trang của giấy tờ; điều đó không nói gì về chỉ mục",
    "index_building_stopped": "Đã dừng lập chỉ mục; chỉ mục đang dùng vẫn như cũ",
    "index_missing": "Chưa có chỉ mục đọc được; nó được lập từ cơ sở dữ liệu (`kho reindex`)",
    "index_newer": "Chỉ mục do bản Kho mới hơn lập; hãy dùng bản đó, hoặc xóa chỉ mục để lập lại",
}
