"""The words of a document's check: steps, details and named values, each in Vietnamese and English."""

from collections.abc import Mapping

from reuse_api.language import Language

Pair = tuple[str, str]  # Vietnamese, English

STEPS: Mapping[str, Pair] = {
    "file": ("Tệp được đọc trong tiến trình riêng", "The file was read in a process of its own"),
    "signature": (
        "Chữ ký trong trường {value} là thật và truy được tới nơi cấp được tin cậy",
        "The signature in field {value} is genuine and leads to a trusted authority",
    ),
    "beside": (
        "Chữ ký kèm theo tệp là thật và truy được tới nơi cấp được tin cậy",
        "The signature that comes with the file is genuine and leads to a trusted authority",
    ),
    "within": (
        "Chữ ký trong tài liệu là thật và truy được tới nơi cấp được tin cậy",
        "The signature in the document is genuine and leads to a trusted authority",
    ),
    "status": (
        "Chứng thư của chữ ký {value} còn hiệu lực vào thời điểm đó",
        "The certificate of signature {value} stood at that time",
    ),
    "coverage": (
        "Chữ ký {value} phủ cả tệp: sau khi ký không có gì bị thêm hay sửa",
        "Signature {value} covers the whole file: nothing was added or changed afterwards",
    ),
    "time": ("Thời điểm của chữ ký {value} được chứng minh", "The time of signature {value} is proven"),
    "look": (
        "Các trang trông giống hệt như khi được ký",
        "The pages look exactly as they did when they were signed",
    ),
    "report": ("Kết luận chung về tệp", "The file as a whole"),
    "class": ("Mức tin cậy của giấy tờ: {value}", "What the document is worth: {value}"),
}
DETAILS: Mapping[str, Pair] = {
    "signer": ("Người ký: {value}", "Signer: {value}"),
    "claimed": ("Người ký tự ghi: {value}", "Signer as claimed: {value}"),
    "it": ("kèm theo tệp", "beside the file"),
    "within": ("trong tài liệu", "in the document"),
    "at": ("Thời điểm: {value}", "Time: {value}"),
    "level": ("Mức chữ ký: {value}", "Signature level: {value}"),
    "kind": ("Dạng chữ ký: {value}", "Format: {value}"),
    "chain": ("Chuỗi chứng thư: {value}", "Certificates: {value}"),
    "anchor": ("Gốc tin cậy: {value}", "Trusted root: {value}"),
    "algorithms": ("Thuật toán: {value}", "Algorithms: {value}"),
    "certified": ("Bản được chứng nhận: {value}", "Certified: {value}"),
    "changes": ("Sau khi ký có thêm: {value}", "Added after signing: {value}"),
    "status": ("Bằng chứng: {value}", "Evidence: {value}"),
    "no_status": (
        "Không có bằng chứng nào về tình trạng chứng thư",
        "There is no evidence of the certificates' status",
    ),
    "stamp": ("Dấu thời gian: {value}", "Time stamp: {value}"),
    "no_time": ("Chữ ký không ghi thời điểm", "The signature names no time"),
    "claimed_later": (
        "Thời điểm người ký tự ghi muộn hơn dấu thời gian, nên không đúng",
        "The time that the signer wrote is later than the time stamp, so it is not right",
    ),
    "only_claimed": (
        "Chỉ người ký tự ghi, không có dấu thời gian chứng minh",
        "Only the signer says so; no time stamp proves it",
    ),
    "shown_later": (
        "Chữ ký hoặc dấu thời gian có sau hiện ra ở: {value}",
        "A later signature or time stamp shows itself: {value}",
    ),
    "difference": (
        "Trang {value} trông khác khi được ký",
        "Page {value} looks other than when it was signed",
    ),
    "not_compared": ("Không so sánh được hình ảnh các trang", "The pages could not be compared"),
    "indication": ("Mã theo EN 319 102-1: {value}", "Code of EN 319 102-1: {value}"),
    "rules": ("Quy tắc xếp mức: {value}", "Rules of classes: {value}"),
}
NAMES: Mapping[str, Pair] = {
    "pades": ("PAdES", "PAdES"),
    "pkcs7": ("PKCS#7 (CMS)", "PKCS#7 (CMS)"),
    "cades": ("CMS/CAdES tách rời", "detached CMS/CAdES"),
    "xades": ("XML (XAdES)", "XML (XAdES)"),
    "xmldsig": ("XML (XMLDSig)", "XML (XMLDSig)"),
    "public": ("gốc công cộng", "public root"),
    "government": ("gốc chuyên dùng công vụ", "government root"),
    "timestamp": ("gốc dấu thời gian", "root of time stamps"),
    "test": ("gốc chỉ để thử, không có giá trị pháp lý", "root for tests only, without legal value"),
    "no_changes": ("không được thay đổi gì sau đó", "no changes are permitted afterwards"),
    "form_filling": ("chỉ được điền biểu mẫu sau đó", "only forms may be filled in afterwards"),
    "annotations": ("chỉ được điền biểu mẫu và ghi chú sau đó", "only forms and annotations afterwards"),
    "validation_data": ("dữ liệu để kiểm tra chữ ký", "data for validation"),
    "timestamps": ("dấu thời gian", "time stamps"),
    "signatures": ("chữ ký khác", "other signatures"),
    "metadata": ("thông tin mô tả tệp", "what the file says of itself"),
    "form_fields": ("nội dung điền vào biểu mẫu", "contents of form fields"),
    "other": ("thay đổi khác", "other changes"),
    "ocsp": ("OCSP", "OCSP"),
    "crl": ("CRL", "CRL"),
    "dss": ("trong tệp", "in the file"),
    "embedded": ("trong chữ ký", "in the signature"),
    "fetched": ("Kho lấy từ nơi cấp", "fetched from its issuer"),
    "signature": ("của chữ ký", "of the signature"),
    "document": ("của cả tệp", "of the whole file"),
    "valid": ("hợp lệ", "valid"),
    "invalid": ("không hợp lệ", "invalid"),
    "undetermined": ("chưa xác định", "undetermined"),
}
# What a file is by its first bytes, for whoever meant it to be a PDF.
KINDS: Mapping[str, Pair] = {
    "application/pdf": ("tệp PDF", "a PDF"),
    "application/xml": ("tài liệu XML", "an XML document"),
    "text/html": ("trang web (HTML), không phải PDF", "a web page (HTML), no PDF"),
    "image/png": ("ảnh PNG, không phải PDF", "a PNG picture, no PDF"),
    "image/jpeg": ("ảnh JPEG, không phải PDF", "a JPEG picture, no PDF"),
    "image/gif": ("ảnh GIF, không phải PDF", "a GIF picture, no PDF"),
    "image/tiff": ("ảnh TIFF, không phải PDF", "a TIFF picture, no PDF"),
    "image/heic": ("ảnh HEIC, không phải PDF", "a HEIC picture, no PDF"),
    "application/zip": (
        "tệp nén ZIP hoặc tài liệu văn phòng, không phải PDF",
        "a ZIP archive or an office document, no PDF",
    ),
    "application/x-ole-storage": ("tài liệu văn phòng cũ, không phải PDF", "an old office document, no PDF"),
    "application/vnd.rar": ("tệp nén RAR, không phải PDF", "a RAR archive, no PDF"),
    "application/x-7z-compressed": ("tệp nén 7z, không phải PDF", "a 7z archive, no PDF"),
    "application/gzip": ("tệp nén gzip, không phải PDF", "a gzip archive, no PDF"),
    "application/x-msdownload": ("chương trình Windows, không phải PDF", "a Windows program, no PDF"),
    "application/x-elf": ("chương trình Linux, không phải PDF", "a Linux program, no PDF"),
    "text/x-script": ("tệp lệnh, không phải PDF", "a script, no PDF"),
    "application/rtf": ("tài liệu RTF, không phải PDF", "an RTF document, no PDF"),
    "application/octet-stream": ("tệp không rõ loại", "a file of no known kind"),
}
# How the subject of a certificate names its parts, and how that is said in Vietnamese.
SUBJECT_PARTS: Mapping[str, str] = {
    "Common Name": "Tên",
    "Organizational Unit": "Đơn vị",
    "Organization Identifier": "Mã tổ chức",
    "Organization": "Tổ chức",
    "Country": "Quốc gia",
    "State/Province": "Tỉnh, thành phố",
    "Locality": "Địa phương",
    "Street Address": "Địa chỉ",
    "Serial Number": "Số định danh",
    "Email Address": "Thư điện tử",
    "Title": "Chức danh",
    "Surname": "Họ",
    "Given Name": "Tên riêng",
    "Domain Component": "Miền",
    "User ID": "Mã người dùng",
}


def spoken(pair: Pair, language: Language, value: str = "") -> str:
    """Say a pair in one language, with a value where it has room for one."""
    return pair[language == "en"].format(value=shown(value))


def shown(claimed: str) -> str:
    """Keep what a file says of itself from steering a terminal or turning the line around."""
    return "".join(one if one.isprintable() else "�" for one in claimed)
