"""What the demo says in the terminal, in Vietnamese and English."""

LINES: dict[str, tuple[str, str]] = {
    "title": ("KHO: một hồ sơ, từ đầu đến cuối", "KHO: one whole life of a document"),
    "places": ("Dữ liệu ở {folder}, khóa ở {keys}", "Rows and bytes in {folder}, keys in {keys}"),
    "kept": (
        "Kho đã có từ trước: cùng một nhật ký, {size} mục, nay dài thêm.",
        "This vault was kept: the same log, {size} entries, grows on.",
    ),
    "step_1": ("1. Danh mục", "1. The catalogue"),
    "imported": ("   Nhập {code}: {name} ({news})", "   Imported {code}: {name} ({news})"),
    "version": ("phiên bản {n}", "version {n}"),
    "unchanged": ("không có gì đổi", "nothing changed"),
    "ours": (
        "   Dòng của Kho, ghi rõ là của Kho: {label}",
        "   One line of ours, marked as ours: {label}",
    ),
    "step_2": ("2. Ai được hỏi", "2. Who may ask"),
    "office": (
        "   {name} ({code}): thủ tục {procedures}; được cấp: {issues}",
        "   {name} ({code}): procedures {procedures}; may issue: {issues}",
    ),
    "nothing": ("không loại nào", "nothing"),
    "no_duty": ("không có", "none"),
    "person": ("   {name}, số định danh {number}", "   {name}, personal number {number}"),
    "step_3": ("3. Cấp kết quả có chữ ký số", "3. Issuing a signed result"),
    "opened": ("   Mở hồ sơ {dossier} ({procedure})", "   Opened dossier {dossier} ({procedure})"),
    "issued": (
        "   Giấy khai sinh {code}: {size} byte, mức tin cậy {trust}, {verdict}; biên nhận {receipt}",
        "   Birth certificate {code}: {size} bytes, class {trust}, {verdict}; receipt {receipt}",
    ),
    "step_4": ("4. Công dân tự tải lên", "4. The citizen's own upload"),
    "uploaded": (
        "   {title}: mức tin cậy {trust}, {verdict} ({reasons})",
        "   {title}: trust class {trust}, {verdict} ({reasons})",
    ),
    "already": ("   {title}: đã có trong kho từ trước", "   {title}: was in the store already"),
    "step_5": ("5. Một câu hỏi cho cả hồ sơ", "5. One question for the whole dossier"),
    "answer": (
        "   {label} [{component}]: {state}: {reasons}",
        "   {label} [{component}]: {state}: {reasons}",
    ),
    "hint": ("      gợi ý: {source}", "      hint: {source}"),
    "not_this": ("      không dùng được {title}: {reasons}", "      not usable: {title}: {reasons}"),
    "not_more": ("      {title}: {reasons}", "      {title}: {reasons}"),
    "other_family": (
        "   Một gia đình khác, chỉ có giấy tự tải lên:",
        "   Another family, whose only paper is an upload:",
    ),
    "step_6": ("6. Dùng lại thay cho bản giấy", "6. Reuse in place of paper"),
    "read": (
        "   Đã nhận {size} byte, SHA-256 khớp; {verdict}, hiệu lực {validity}",
        "   Received {size} bytes, the SHA-256 agrees; {verdict}, validity {validity}",
    ),
    "proof": ("   Biên nhận, kiểm ngoại tuyến: {outcome}", "   The receipt, checked offline: {outcome}"),
    "proof_step": ("      {number}. {name}: {outcome}", "      {number}. {name}: {outcome}"),
    "flipped": (
        "   Đổi một bit trong biên nhận: {outcome}, hỏng ở bước {step}",
        "   One bit of the receipt changed: {outcome}, at step {step}",
    ),
    "document": ("   Tài liệu, kiểm ngoại tuyến: {outcome}", "   The document, checked offline: {outcome}"),
    "step_7": ("7. Từ chối, có lý do, có ghi nhật ký", "7. Refused, with reasons, each an entry"),
    "refused": ("   {what}: {status} {reasons}", "   {what}: {status} {reasons}"),
    "no_evidence": ("Mở hồ sơ không có căn cứ", "A dossier without evidence"),
    "no_territory": ("Mở hồ sơ ngoài địa bàn", "A dossier outside the territory"),
    "no_procedure": ("Thủ tục không được giao", "A procedure not registered for it"),
    "not_theirs": ("Hồ sơ của cơ quan khác", "Another agency's dossier"),
    "not_asked": ("Thành phần không được yêu cầu", "A component not asked for"),
    "not_named": ("Giấy tờ của người ngoài hồ sơ", "A record of a person not named"),
    "not_to_issue": ("Cấp loại giấy tờ không được cấp", "A result of a type it may not issue"),
    "closed": ("Hồ sơ đã đóng", "A closed dossier"),
    "was_revoked": ("Giấy tờ đã bị thu hồi", "A revoked record"),
    "step_8": ("8. Thu hồi", "8. Revoking"),
    "revoked": (
        "   Phường thu hồi giấy khai sinh; căn cứ: {ground}",
        "   The commune revokes the certificate; ground: {ground}",
    ),
    "no_more": (
        "   Bản cung cấp một phút trước: {status} {reasons}",
        "   The release of a minute ago: {status} {reasons}",
    ),
    "again": ("   Câu hỏi lần sau:", "   The next plan:"),
    "reissued": ("   Phường cấp lại bản đúng: {code}", "   The commune issues the right one: {code}"),
    "closed_now": (
        "   Đóng hồ sơ; bản cung cấp còn lại: {status} {reasons}",
        "   The dossier is closed; its release: {status} {reasons}",
    ),
    "step_9": ("9. Người dân nhìn thấy", "9. What the citizen sees"),
    "seen": (
        "   {name}: {records} giấy tờ, {accesses} mục về mình",
        "   {name}: {records} documents, {accesses} entries about her",
    ),
    "step_10": ("10. Một giấy tờ, hai chủ sở hữu", "10. One document, two owners"),
    "joint": (
        "   Giấy chứng nhận quyền sử dụng đất cho vợ và chồng: {codes}, mức tin cậy {trust}",
        "   A land use certificate for wife and husband: {codes}, class {trust}",
    ),
    "step_11": ("11. Doanh nghiệp và người đại diện", "11. An enterprise and who acts for it"),
    "enterprise": ("   {name}: {code}", "   {name}: {code}"),
    "acted": (
        "   {name} có tên trong giấy đó, nên thay mặt doanh nghiệp: thấy {count} giấy tờ",
        "   {name} is named in it, and so acts for the enterprise: sees {count} document(s)",
    ),
    "not_the_representative": ("Người lạ xin thay mặt", "A stranger who wants to act for it"),
    "step_12": ("12. Ghi chú thay đổi hộ tịch", "12. A change of civil status is noted"),
    "corrected": ("   Phường cấp: {code}", "   The commune issues: {code}"),
    "heard": (
        "   Hồ sơ đang mở {dossier} được báo: giấy khai sinh cũ nay {event}",
        "   The open dossier {dossier} hears of it: the old birth certificate is now {event}",
    ),
    "step_13": ("13. Ngân hàng hỏi, người dân quyết định", "13. A bank asks, the citizen decides"),
    "asked_text": (
        "   Bà đọc đúng văn bản này:\n      {text}",
        "   She reads exactly this text:\n      {text}",
    ),
    "given": ("   Bà đồng ý; biên nhận {receipt}", "   She agrees; receipt {receipt}"),
    "bank_read": (
        "   Ngân hàng nhận {size} byte, lần đọc được đếm",
        "   The bank receives {size} bytes, and the read is counted",
    ),
    "withdrawn_then": ("Rút đồng ý, lần đọc ngay sau", "She withdraws; the very next read"),
    "withdrawn_fetch": ("Ngân hàng hỏi lại", "The bank fetches again"),
    "step_14": ("14. Kiểm toán viên không tin ai", "14. The auditor believes nobody"),
    "replayed": (
        "   Mục {index} được mở và quyết định lại: {words}",
        "   Entry {index} is opened, and decided again: {words}",
    ),
    "no_content": (
        "   Nội dung giấy tờ thì không bao giờ mở cho kiểm toán viên: {status}",
        "   The content of a document never opens for an auditor: {status}",
    ),
    "consistent": (
        "Nhật ký chỉ dài thêm: {old} mục trước, {new} mục nay; chứng minh {hashes} giá trị băm: {outcome}",
        "The log only grew: {old} entries then, {new} now; consistency proof of {hashes} hashes: {outcome}",
    ),
    "valid": ("hợp lệ", "valid"),
    "invalid": ("không hợp lệ", "invalid"),
    "undetermined": ("không xác định", "undetermined"),
    "done": ("Xong sau {seconds} giây.", "Told in {seconds} seconds."),
    "look": ("Kho đang phục vụ tại {url} (Ctrl-C để dừng)", "Kho serves at {url} (Ctrl-C stops it)"),
    "look_wallet": ("   Ví giấy tờ: {url}/sign-in", "   The wallet: {url}/sign-in"),
    "look_code": (
        "   Mã dùng một lần của {name}: {code}",
        "   One-time code for {name}: {code}",
    ),
    "fresh_code": (
        "   Mã mới cho {name}: {code}",
        "   A fresh code for {name}: {code}",
    ),
    "look_journal": (
        "   Nhật ký vận hành của bản trình diễn: {file}",
        "   What goes wrong while it runs is written to: {file}",
    ),
    "look_settings": (
        "   Để lệnh kho khác dùng kho này (khi không chạy): . {file}",
        "   To have other kho commands use this vault (while it is not served): . {file}",
    ),
    "look_log": (
        "   Nhật ký: {url}/log/checkpoint, {url}/log/key",
        "   The log: {url}/log/checkpoint, {url}/log/key",
    ),
    "look_api": (
        "   Khóa của hệ thống công an: {file} (README có phiên curl)",
        "   The police system's key: {file} (the README has a curl session)",
    ),
    "waiting": ("   ... {what}, {seconds} giây", "   ... {what}, {seconds} s"),
    "stopped": ("Đã dừng.", "Stopped."),
    "port_taken": (
        "Cổng {port} trên 127.0.0.1 đang có chương trình khác dùng; thử: kho demo --port {other}",
        "Port {port} on 127.0.0.1 is taken by another program; try: kho demo --port {other}",
    ),
    "cannot_write": ("Không ghi được vào {path}: {why}", "Cannot write to {path}: {why}"),
    "cannot_go_on": ("Không tiếp tục được: {why}", "Cannot go on: {why}"),
}


def line(key: str, lang: str, **details: object) -> str:
    """Give one line of the story; `lang` is "vi" or "en"."""
    vi, en = LINES[key]
    return (en if lang == "en" else vi).format(**details)
