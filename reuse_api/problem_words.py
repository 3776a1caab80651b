"""The one table of problems: a stable code, its HTTP status, and its words in both languages.

Codes of decisions, of the plan and of identifiers have their words in policies.wording; what is here concerns
the doors: requests, files, credentials, the state of the vault.
"""

from dataclasses import dataclass

from reuse_api.language import Language


@dataclass(frozen=True)
class Row:
    """A kind of problem: its status, and what it is in Vietnamese and English."""

    status: int
    vi: str
    en: str

    def words(self, language: Language) -> str:
        """Give its words in one language."""
        return self.vi if language == "vi" else self.en


# What a status means, said in a few words: the `title` of every problem that has it.
TITLES: dict[int, Row] = {
    400: Row(400, "Yêu cầu không đọc được", "The request cannot be read"),
    401: Row(401, "Chưa xác thực được bên gọi", "The caller is not authenticated"),
    403: Row(403, "Yêu cầu bị từ chối", "The request is refused"),
    404: Row(404, "Không tìm thấy", "Not found"),
    405: Row(405, "Phương thức không được hỗ trợ", "Method not allowed"),
    409: Row(409, "Xung đột với yêu cầu trước", "In conflict with an earlier request"),
    410: Row(410, "Đã kết thúc", "Ended"),
    413: Row(413, "Quá lớn", "Too large"),
    415: Row(415, "Kiểu nội dung không được hỗ trợ", "Media type not supported"),
    416: Row(416, "Khoảng nằm ngoài tệp", "Range not satisfiable"),
    421: Row(421, "Gửi nhầm nơi", "Sent to the wrong place"),
    422: Row(422, "Dữ liệu không hợp lệ", "The data is not valid"),
    500: Row(500, "Lỗi của hệ thống", "An error of ours"),
    503: Row(503, "Tạm thời chưa phục vụ được", "Not available just now"),
}

_REQUEST = {
    "bad_request": Row(400, "Yêu cầu không đúng giao thức.", "The request breaks the protocol."),
    "body_unreadable": Row(400, "Không đọc được thân yêu cầu.", "The body of the request cannot be read."),
    "body_not_json": Row(
        422,
        "Thân yêu cầu phải là JSON đúng cú pháp, với Content-Type: application/json.",
        "The body must be well-formed JSON, sent with Content-Type: application/json.",
    ),
    "body_missing": Row(422, "Yêu cầu thiếu thân.", "The request has no body."),
    "body_too_large": Row(413, "Thân yêu cầu quá lớn.", "The body of the request is too large."),
    "media_type_unsupported": Row(
        415, "Kiểu nội dung này không được nhận ở đây.", "This media type is not taken here."
    ),
    "host_not_ours": Row(
        421,
        "Kho không phục vụ dưới tên máy chủ này. Hãy dùng đúng địa chỉ của kho (KHO_ISSUER).",
        "Kho is not served under this host. Please use its own address (KHO_ISSUER).",
    ),
    "method_not_allowed": Row(
        405, "Địa chỉ này không nhận phương thức đó.", "This address does not take that method."
    ),
    "multipart_malformed": Row(
        400,
        "Biểu mẫu nhiều phần bị hỏng hoặc chưa gửi hết.",
        "The multipart form is damaged or did not arrive whole.",
    ),
    "field_missing": Row(422, "Thiếu trường này.", "This field is missing."),
    "field_unknown": Row(422, "Không có trường nào tên như vậy.", "There is no field of this name."),
    "field_repeated": Row(422, "Trường này được gửi nhiều lần.", "This field was sent more than once."),
    "too_long": Row(422, "Giá trị quá dài.", "The value is too long."),
    "too_short": Row(422, "Giá trị quá ngắn hoặc để trống.", "The value is too short or empty."),
    "too_many": Row(422, "Quá nhiều mục.", "There are too many items."),
    "too_few": Row(422, "Quá ít mục.", "There are too few items."),
    "not_utf8": Row(422, "Giá trị không phải văn bản UTF-8.", "The value is no UTF-8 text."),
    "wrong_type": Row(422, "Giá trị không đúng kiểu.", "The value has the wrong type."),
    "value_unknown": Row(
        422, "Giá trị không nằm trong các giá trị được nhận.", "The value is none of those taken."
    ),
    "value_malformed": Row(422, "Giá trị không đúng dạng.", "The value is not of the right form."),
    "value_invalid": Row(422, "Giá trị không dùng được.", "The value cannot be accepted."),
    "number_out_of_range": Row(
        422, "Số nằm ngoài khoảng cho phép.", "The number lies outside what is allowed."
    ),
    "date_malformed": Row(
        422, "Ngày phải có thật và viết dạng NNNN-TT-NN.", "A date must exist and be written YYYY-MM-DD."
    ),
    "cursor_malformed": Row(422, "Con trỏ trang không đúng.", "The cursor is not one of ours."),
    "range_outside_file": Row(
        416, "Khoảng được hỏi nằm ngoài tệp.", "The range asked for lies outside the file."
    ),
    "idempotency_key_missing": Row(
        400,
        "Mọi lệnh ghi phải có tiêu đề Idempotency-Key.",
        "Every write needs an Idempotency-Key header.",
    ),
    "idempotency_key_malformed": Row(
        422,
        "Idempotency-Key gồm 1 đến 200 ký tự ASCII in được.",
        "An Idempotency-Key has 1 to 200 printable ASCII characters.",
    ),
    "idempotency_conflict": Row(
        409,
        "Idempotency-Key hoặc mã này đã dùng cho một yêu cầu khác; không có gì thay đổi.",
        "This Idempotency-Key or code was already used for another request; nothing was changed.",
    ),
}

_FILES = {
    "empty": Row(422, "Tệp rỗng.", "The file is empty."),
    "too_large": Row(413, "Tệp lớn hơn 50 MiB.", "The file is larger than 50 MiB."),
    "not_a_pdf": Row(422, "Tệp không phải PDF.", "The file is not a PDF."),
    "mislabelled": Row(
        422,
        "Nội dung tệp không đúng với loại tệp mà tên tệp hoặc bên gửi nêu.",
        "The file is not of the kind that its name or its sender says.",
    ),
    "encrypted": Row(
        422, "Tệp bị mã hóa hoặc đặt mật khẩu.", "The file is encrypted or protected by a password."
    ),
    "active_content": Row(
        422,
        "Tệp chứa nội dung chủ động (mã lệnh, tự mở, biểu mẫu XFA).",
        "The file holds active content (scripts, launch actions, XFA).",
    ),
    "too_complex": Row(422, "Cấu trúc tệp quá phức tạp.", "The structure of the file is too complex."),
    "too_many_pages": Row(
        422,
        "Bản quét có quá nhiều trang; hãy nộp thành nhiều phần.",
        "The scan has too many pages; hand it in in parts.",
    ),
    "too_large_inside": Row(
        422,
        "Nội dung bên trong tệp, khi giải nén, vượt quá giới hạn.",
        "What the file holds is larger than the limits when it is unpacked.",
    ),
    "polyglot": Row(
        422,
        "Tệp vừa là PDF vừa là một loại tệp khác.",
        "The file is a PDF and another kind of file at once.",
    ),
    "malware": Row(422, "Phát hiện mã độc trong tệp.", "Malware was found in the file."),
    "not_examinable": Row(
        422,
        "Không kiểm tra được tệp này trong giới hạn cho phép; hãy xuất hoặc quét lại thành PDF thường.",
        "The file could not be examined within its limits; please export or scan it again to a plain PDF.",
    ),
    "search_degraded": Row(
        503,
        "Chưa tìm kiếm được lúc này; danh sách, kế hoạch và cung cấp giấy tờ vẫn hoạt động. Hãy thử lại sau.",
        "Searching does not work just now; lists, plans and releases do. Try again later.",
    ),
    "query_too_long": Row(422, "Câu tìm kiếm dài quá 200 ký tự.", "A search is at most 200 characters long."),
    "query_too_many_words": Row(422, "Câu tìm kiếm có quá 20 từ.", "A search holds at most 20 words."),
    "query_control_characters": Row(
        422, "Câu tìm kiếm có ký tự điều khiển.", "The search holds control characters."
    ),
    "query_mixed_scripts": Row(
        422,
        "Có từ trộn chữ cái La-tinh với chữ cái khác trông giống vậy; hãy gõ lại.",
        "A word mixes Latin letters with others that may look like them; please type it again.",
    ),
    "query_without_words": Row(
        422, "Câu tìm kiếm không có chữ hay số nào.", "The search holds no letter and no digit."
    ),
    "query_only_stop_words": Row(
        422,
        "Câu tìm kiếm chỉ có những từ như “của”, “và”; hãy thêm từ khác.",
        "The search holds only words such as “của” and “và”; please add another.",
    ),
    "malware_scan_unavailable": Row(
        503,
        "Chưa quét được mã độc; không có gì được lưu. Hãy thử lại sau.",
        "The file could not be scanned for malware; nothing was stored. Try again later.",
    ),
    "not_a_scan": Row(
        422,
        "Tệp không phải bản quét: cần PDF, JPEG, PNG, TIFF hoặc HEIC.",
        "The file is no scan: it has to be PDF, JPEG, PNG, TIFF or HEIC.",
    ),
    "scan_draft_gone": Row(
        422,
        "Bản quét đã chờ quá 15 phút hoặc không còn; hãy chọn lại tệp.",
        "The scan has waited for more than 15 minutes, or is gone; please choose the file again.",
    ),
    "scan_names_differ": Row(
        422,
        "Tên đọc được trên giấy không phải của người được chọn; hãy đối chiếu bản giấy rồi đánh dấu vào ô.",
        "The names read off the paper are not of the person chosen; compare the paper, then tick the box.",
    ),
    "scan_signed": Row(
        422,
        "Tệp đã có chữ ký số, không phải bản quét; hãy nộp như kết quả điện tử.",
        "The file carries a signature already, so it is no scan; hand it in as an electronic document.",
    ),
    "conversion_failed": Row(
        422,
        "Không ghi được dấu số hóa và ký số trên tệp này; hãy quét lại thành PDF thường.",
        "This file cannot be marked and signed as a scan; please scan the paper again to a plain PDF.",
    ),
    "file_not_sealable": Row(
        422,
        "Không đóng được con dấu số lên tệp này; hãy xuất lại thành PDF thường, hoặc nộp tệp đã ký số.",
        "No seal can be put on this file; please export it as a plain PDF again, or hand it in signed.",
    ),
    "unreadable": Row(422, "Không đọc được tệp.", "The file cannot be read."),
    "signature_invalid": Row(
        422,
        "Chữ ký số của tệp không đúng hoặc tệp đã bị sửa sau khi ký; không có gì được lưu.",
        "A signature of the file is wrong, or the file was changed after it was signed; nothing was stored.",
    ),
    "xml_too_large": Row(413, "Tệp XML lớn hơn 8 MiB.", "The XML document is larger than 8 MiB."),
    "xml_unsafe": Row(
        422,
        "XML khai báo DTD, thực thể, kiểu hiển thị hoặc bảng mã khác UTF-8 nên không được nhận.",
        "The XML declares a document type, entities, a style sheet or another encoding than UTF-8, so it is "
        "not taken.",
    ),
    "xml_damaged": Row(
        422,
        "XML không đúng cú pháp hoặc lồng quá sâu.",
        "The XML is not well-formed, or nested too deeply.",
    ),
    "xml_page": Row(
        422,
        "XML này là trang web, ảnh SVG hoặc chỉ là một chữ ký, không phải giấy tờ.",
        "This XML is a web page, an SVG picture or a bare signature, and no document.",
    ),
    "xml_unsigned": Row(
        422,
        "XML không có chữ ký số, và không có tệp chữ ký gửi kèm; chỉ nhận XML đã ký.",
        "The XML carries no signature, and none came beside it; XML is taken only when it is signed.",
    ),
    "signature_empty": Row(422, "Tệp chữ ký rỗng.", "The signature is empty."),
    "signature_too_large": Row(
        413, "Tệp chữ ký lớn hơn 1 MiB.", "The signature beside the file is larger than 1 MiB."
    ),
    "signature_unreadable": Row(
        422,
        "Tệp gửi kèm không phải chữ ký số CMS hoặc CAdES (DER hoặc PEM).",
        "What came beside the file is no CMS or CAdES signature (DER or PEM).",
    ),
    "signature_of_another_file": Row(
        422,
        "Chữ ký gửi kèm không phải của tệp này, hoặc tệp đã bị sửa sau khi ký; không có gì được lưu.",
        "The signature beside the file is not one of this file, or the file was changed after it was signed; "
        "nothing was stored.",
    ),
    "signature_one_too_many": Row(
        422,
        "Tệp đã có chữ ký số bên trong; hãy gửi tệp mà không kèm tệp chữ ký.",
        "The file carries a signature of its own; send it without a signature beside it.",
    ),
    "record_not_in_force": Row(
        422,
        "Tệp này là một giấy tờ trong kho đã bị thu hồi, thay thế, tạm đình chỉ hoặc hết hạn.",
        "This file is a document of the vault that was revoked, replaced or suspended, or that has expired.",
    ),
}

# What the vault says of a field, beside the codes that policies have words for.
_CONSENTS = {
    "date_in_past": Row(422, "Ngày bắt đầu không được ở quá khứ.", "The first day must not lie in the past."),
    "dates_out_of_order": Row(
        422, "Ngày kết thúc phải từ ngày bắt đầu trở đi.", "The last day must not come before the first."
    ),
    "consent_too_long": Row(
        422,
        "Thời hạn dài hơn mức sổ quy tắc cho phép với mục đích này.",
        "The time is longer than the policy book allows for this purpose.",
    ),
    "consent_reads_number": Row(
        422,
        "Số lần đọc phải từ 1 đến mức sổ quy tắc cho phép với mục đích này.",
        "The number of reads must be at least 1 and at most what the policy book allows for this purpose.",
    ),
    "purposes_number": Row(422, "Nêu từ 1 đến 5 mục đích.", "Name 1 to 5 purposes."),
    "reason_length": Row(422, "Lý do dài từ 1 đến 300 ký tự.", "The reason has 1 to 300 characters."),
    "purpose_twice": Row(422, "Một mục đích được nêu hai lần.", "A purpose is named twice."),
    "consent_nothing_asked": Row(
        422,
        "Phải nêu ít nhất một loại giấy tờ hoặc một giấy tờ.",
        "Name at least one type of document or one document.",
    ),
    "consent_document_twice": Row(422, "Một mục được nêu hai lần.", "Something is named twice."),
    "fetch_records_number": Row(
        422, "Mỗi lần lấy từ 1 đến 20 giấy tờ.", "Fetch 1 to 20 documents in one call."
    ),
}

_CATALOGUE = {
    "dates_in_wrong_order": Row(
        422, "Ngày kết thúc không được trước ngày bắt đầu.", "The last day must not be before the first."
    ),
    "component_known": Row(
        422,
        "Thành phần này đã có; hãy chỉnh sửa cách đọc thay vì thêm dòng.",
        "This component is there already: overrule how it is read instead of adding it.",
    ),
    "edit_changes_nothing": Row(422, "Chỉnh sửa này không thay đổi gì.", "This edit would change nothing."),
    "condition_name_missing": Row(
        422,
        "Điều kiện mới phải có tên bằng tiếng Việt và tiếng Anh.",
        "A new condition needs its name in Vietnamese and English.",
    ),
    "edit_overlaps": Row(
        409,
        "Đã có một chỉnh sửa khác của dòng này trong cùng thời gian; hãy kết thúc nó trước.",
        "Another edit of this row is in force on the same days; end it first.",
    ),
    "day_has_passed": Row(422, "Ngày này đã qua.", "This day has passed."),
    "edit_ends_before": Row(
        422, "Chỉnh sửa đã kết thúc vào hoặc trước ngày này.", "The edit ends on or before that day already."
    ),
    "certificate_unreadable": Row(
        422, "Không đọc được đúng một chứng thư dạng PEM.", "This is not exactly one certificate in PEM form."
    ),
    "certificate_registered": Row(
        409, "Chứng thư này đã được đăng ký cho cơ quan.", "This certificate is the agency's already."
    ),
    "certificate_ends_before": Row(
        422,
        "Đăng ký của chứng thư đã kết thúc vào hoặc trước ngày này.",
        "The registration ends on or before that day already.",
    ),
}

_FIELDS = {
    "delegation_kind_unknown": Row(
        422, "Không có hình thức đại diện này.", "There is no representation of this kind."
    ),
    "delegation_scheme_unfit": Row(
        422,
        "Loại số định danh không phù hợp: nêu con bằng số định danh cá nhân, doanh nghiệp bằng mã số thuế.",
        "Name a child by the personal number, an enterprise by its tax code.",
    ),
    "evidence_unknown": Row(
        422,
        "Căn cứ phải là portal_submission, signed_form hoặc officer_check.",
        "Evidence is one of portal_submission, signed_form, officer_check.",
    ),
    "evidence_reference_missing": Row(
        422,
        "Phải nêu mã hồ sơ nộp qua Cổng, hoặc mã băm SHA-256 của tờ khai đã ký.",
        "Name the submission on the portal, or the SHA-256 of the signed form.",
    ),
    "evidence_not_a_digest": Row(
        422,
        "Tờ khai đã ký được nêu bằng mã băm SHA-256: 64 ký tự thập lục phân.",
        "A signed form is named by its SHA-256: 64 hexadecimal digits.",
    ),
    "persons_missing": Row(422, "Hồ sơ phải nêu ít nhất một người.", "A dossier names at least one person."),
    "role_twice": Row(422, "Mỗi vai trò chỉ có một người.", "Each role is held by one person only."),
    "role_not_in_dossier": Row(422, "Hồ sơ không có vai trò này.", "The dossier has no such role."),
    "owners_number": Row(422, "Giấy tờ có từ 1 đến 20 chủ sở hữu.", "A document has 1 to 20 owners."),
    "owner_twice": Row(
        422, "Một người hoặc tổ chức được nêu hai lần.", "The same person or organisation is named twice."
    ),
    "role_not_of_type": Row(
        422,
        "Loại giấy tờ này không có chủ sở hữu với vai trò như vậy.",
        "This type of document has no owner in such a role.",
    ),
    "owners_missing": Row(
        422,
        "Giấy tờ phải có chủ sở hữu; hãy chọn ít nhất một người.",
        "A document needs an owner; please choose at least one.",
    ),
    "procedure_unknown": Row(
        422, "Thủ tục này chưa có trong danh mục.", "This procedure is not in the catalogue."
    ),
    "record_type_unknown": Row(
        422, "Không có loại giấy tờ này đang áp dụng.", "No such record type is in force."
    ),
    "record_not_found": Row(
        422,
        "Không có giấy tờ này trong kho của những người trong hồ sơ.",
        "The persons of the dossier have no such record.",
    ),
    "replacement_unknown": Row(
        422,
        "Cơ quan không có giấy tờ này để thay thế cho chủ sở hữu đó.",
        "The agency has no such document of this owner to take the other one's place.",
    ),
    "replacement_of_another_type": Row(
        422,
        "Giấy tờ chỉ được thay thế bằng một giấy tờ khác cùng loại.",
        "A document is replaced only by another one of the same type.",
    ),
    "replacement_not_in_force": Row(
        422, "Giấy tờ thay thế không còn hiệu lực.", "The document that is to replace it is not in force."
    ),
    "fields_or_file": Row(
        422,
        "Gửi hoặc các trường để soạn kết quả, hoặc một tệp, không gửi cả hai.",
        "Send either fields to compose the result from, or a file; not both.",
    ),
    "not_as_recorded": Row(
        422,
        "Tệp này đã có trong kho với số, ngày cấp hoặc ngày hết hiệu lực khác.",
        "This file is already in the vault, with another number, day of issue, or last day of validity.",
    ),
    "number_of_another_person": Row(
        422,
        "Số định danh này không phải của chủ sở hữu kết quả.",
        "This is not the number of the owner of the result.",
    ),
    "birth_date_disagrees": Row(
        422,
        "Ngày sinh không khớp năm sinh trong số định danh cá nhân.",
        "The date of birth is in another year than the one in the personal number.",
    ),
    "date_in_future": Row(422, "Ngày này chưa đến.", "This day lies in the future."),
    "ends_before_it_begins": Row(
        422, "Ngày hết hạn ở trước ngày cấp.", "The last day of validity is before the day of issue."
    ),
    "no_template": Row(
        422, "Chưa có mẫu để soạn loại giấy tờ này.", "There is no template for this record type yet."
    ),
    "composing_failed": Row(
        422, "Không soạn được kết quả từ các trường này.", "No document can be composed from these fields."
    ),
    "components_number": Row(
        422, "Không có hoặc quá nhiều thành phần.", "There are no components, or too many."
    ),
    "title_length": Row(422, "Tên giấy tờ dài từ 1 đến 200 ký tự.", "A title has 1 to 200 characters."),
    "title_unshowable": Row(
        422,
        "Tên giấy tờ có ký tự điều khiển hoặc ký tự ẩn.",
        "The title holds control characters or hidden ones.",
    ),
    "text_length": Row(422, "Nội dung dài từ 1 đến 1000 ký tự.", "The text has 1 to 1000 characters."),
}

# What an auditor may ask, and must say.
_AUDIT = {
    "ground_length": Row(
        422,
        "Căn cứ mở mục nhật ký dài từ 10 đến 500 ký tự.",
        "The ground for opening an entry has 10 to 500 characters.",
    ),
    "identifier_unreadable": Row(
        422,
        "Đây không phải số định danh, mã số thuế hay số giấy tờ nào.",
        "This is no personal number, tax code or number of a paper.",
    ),
    "owner_unknown": Row(422, "Không có kho nào theo số này.", "There is no store under this number."),
    "days_reversed": Row(422, "Ngày cuối ở trước ngày đầu.", "The last day is before the first one."),
    "days_too_many": Row(422, "Chỉ đếm được tối đa 366 ngày.", "At most 366 days can be counted."),
    "sizes_reversed": Row(
        422,
        "Cỡ cũ phải từ 1 và không lớn hơn cỡ mới.",
        "The older size is at least 1 and not larger than the newer one.",
    ),
    "size_malformed": Row(422, "Cỡ nhật ký là một số nguyên.", "The size of a log is a whole number."),
    "checkpoint_malformed": Row(
        422,
        "Đây không phải điểm kiểm nguyên văn: tên nhật ký, cỡ, gốc cây, dòng trống và dòng chữ ký.",
        "This is no checkpoint as it was signed: log name, size, root, an empty line, a signature line.",
    ),
    "size_not_reached": Row(422, "Nhật ký chưa dài đến cỡ này.", "The log has not grown to this size yet."),
}

_CREDENTIALS = {
    "cross_site": Row(
        403,
        "Yêu cầu này đến từ một trang khác; không có gì thay đổi.",
        "This request came from another site; nothing was changed.",
    ),
    "not_authenticated": Row(401, "Chưa xác thực được bên gọi.", "Who is calling could not be proven."),
    "token_missing": Row(401, "Thiếu thẻ truy cập (Authorization: Bearer).", "There is no access token."),
    "token_malformed": Row(401, "Thẻ truy cập không đúng dạng.", "The access token is malformed."),
    "token_signature": Row(
        401, "Thẻ truy cập không do kho này ký.", "The access token was not signed by us."
    ),
    "token_expired": Row(401, "Thẻ truy cập đã hết hạn.", "The access token has expired."),
    "token_audience": Row(
        401, "Thẻ truy cập dành cho nơi khác.", "The access token is meant for somebody else."
    ),
    "system_ended": Row(
        401,
        "Hệ thống này, hoặc cơ quan của nó, đã kết thúc đăng ký với Kho.",
        "This system, or its agency, is no longer registered with Kho.",
    ),
    "session_missing": Row(401, "Bạn chưa đăng nhập.", "You are not signed in."),
    "role_missing": Row(
        401,
        "Phiên đăng nhập này thuộc vai trò khác.",
        "This session is of another role.",
    ),
    "acting_ended": Row(
        401,
        "Bạn không còn được làm thay người hoặc doanh nghiệp này. Hãy quay về kho của chính bạn.",
        "You can no longer act for this person or enterprise. Please go back to your own store.",
    ),
    "session_idle": Row(
        401,
        "Phiên đăng nhập đã kết thúc vì không được dùng.",
        "Your session has ended because it was not used.",
    ),
    "step_up_needed": Row(
        401,
        "Việc này cần xác thực lại ở mức cao. Chưa có gì được thực hiện.",
        "This needs a fresh, strong authentication. Nothing was done.",
    ),
    "session_ended": Row(401, "Phiên đăng nhập đã kết thúc.", "Your session has ended."),
    "grant_type_unsupported": Row(400, "Kiểu cấp thẻ không được hỗ trợ.", "The grant type is not supported."),
    "client_assertion_missing": Row(
        401,
        "Thiếu client_assertion hoặc client_assertion_type.",
        "client_assertion or its type is missing.",
    ),
    "officer_assertion_missing": Row(
        400, "Thiếu assertion nêu tên cán bộ.", "The assertion that names the officer is missing."
    ),
    "client_unknown": Row(401, "Không có hệ thống nào đăng ký như vậy.", "No such client is registered."),
    "officer_of_another_system": Row(
        400,
        "Hai chứng thực không do cùng một hệ thống phát hành.",
        "The two assertions were not issued by the same system.",
    ),
    "officer_unknown": Row(
        400,
        "Cán bộ không được đăng ký tại cơ quan của hệ thống này.",
        "The officer is not registered at the agency of this system.",
    ),
    "subject_taken": Row(
        422,
        "Tài khoản này đã được đăng ký cho một cán bộ khác.",
        "This account is registered for another officer already.",
    ),
    "assertion_replayed": Row(401, "Chứng thực này đã được dùng.", "This assertion was already used."),
    "assertion_malformed": Row(401, "Chứng thực không đúng dạng.", "The assertion is malformed."),
    "assertion_signature": Row(
        401, "Chữ ký của chứng thực không đúng.", "The signature of the assertion is wrong."
    ),
    "assertion_expired": Row(
        401, "Chứng thực đã hết hạn hoặc chưa có hiệu lực.", "The assertion has expired or is not valid yet."
    ),
    "assertion_too_long_lived": Row(
        401, "Chứng thực có hạn quá 5 phút.", "The assertion lives longer than 5 minutes."
    ),
    "assertion_audience": Row(
        401, "Chứng thực dành cho nơi khác.", "The assertion is meant for somebody else."
    ),
    "assertion_type": Row(401, "Chứng thực thuộc loại khác.", "The assertion is of another type."),
    "assertion_key_unknown": Row(
        401, "Khóa ký chứng thực chưa được đăng ký.", "The key of the assertion is not registered."
    ),
}

_VAULT = {
    "not_found": Row(
        404,
        "Không có thứ này ở đây, hoặc bạn không được xem.",
        "There is no such thing here, or it is not yours to see.",
    ),
    "receipt_gone": Row(
        410,
        "Khóa nhật ký của chủ sở hữu không còn; biên nhận không mở được nữa.",
        "The owner's log key is gone; the receipt cannot be opened any more.",
    ),
    "vault_busy": Row(
        503,
        "Chưa ghi được nhật ký nên chưa cung cấp gì và chưa thay đổi gì. Hãy thử lại sau giây lát.",
        "The log cannot take the entry now; nothing was served and nothing changed. Try again shortly.",
    ),
    "store_unavailable": Row(
        503,
        "Nơi lưu trữ tạm thời không dùng được; chưa cung cấp gì, không giấy tờ nào thay đổi. "
        "Lần thử này có thể đã được ghi nhật ký. Hãy thử lại sau giây lát.",
        "The store cannot be used just now; nothing was served and no document was changed. "
        "The attempt may stand in the log. Try again shortly.",
    ),
    "part_away": Row(
        503,
        "Một bộ phận của kho (ký nhật ký, cổng khóa hoặc ký số) chưa trả lời; chưa cung cấp gì. "
        "Lần thử này có thể đã được ghi nhật ký. Hãy thử lại sau giây lát.",
        "A part of the vault (signer, gate or sealer) does not answer just now; nothing was served. "
        "The attempt may stand in the log. Try again shortly.",
    ),
    "picture_failed": Row(
        422,
        "Không dựng được ảnh của trang này; tệp vẫn tải về được.",
        "No picture of this page could be made; the file itself can still be fetched.",
    ),
    "content_damaged": Row(
        500,
        "Nội dung lưu trữ của giấy tờ này bị hỏng; không byte nào được gửi đi.",
        "The stored bytes of this document are damaged; not one of them was sent.",
    ),
    "sealing_failed": Row(
        503,
        "Chưa ký số được; không có gì được lưu.",
        "It could not be sealed; nothing was stored.",
    ),
    "seal_given_up": Row(
        409,
        "Không ký số được và đã thôi chờ; không có gì được lưu. Hãy gửi lại với khóa mới.",
        "This could not be sealed and waits no longer; nothing was stored. Send it again under a new key.",
    ),
    "gate_refused": Row(
        500,
        "Cổng khóa không mở: mục nhật ký, bằng chứng hoặc bên gọi không khớp.",
        "The key gate does not open: the entry, its proof or the caller does not fit.",
    ),
    "part_failed": Row(
        500,
        "Một bộ phận giữ khóa của kho (ký nhật ký, cổng khóa hoặc ký số) bị lỗi.",
        "A part of the vault that holds keys (signer, gate or sealer) failed.",
    ),
    "internal_error": Row(
        500,
        "Hệ thống gặp lỗi. Mã yêu cầu trong tiêu đề Request-Id giúp tìm nguyên nhân.",
        "Something went wrong on our side. The Request-Id header helps to find out what.",
    ),
}

_WEBHOOKS = {
    "webhook_address_malformed": Row(
        422,
        "Địa chỉ phải là https:// với tên máy chủ hoặc địa chỉ IP viết đầy đủ, "
        "không kèm tên người dùng, không #.",
        "Expected an https:// address of a host by its full name or its IP address, "
        "without a user's name and without #.",
    ),
    "webhook_address_inside": Row(
        422,
        "Địa chỉ này dẫn vào mạng nội bộ; chỉ gửi được ra Internet hoặc tới nơi người vận hành cho phép.",
        "This address leads inside; hooks are sent to the open Internet, or where the operator allows it.",
    ),
    "webhook_address_unknown": Row(
        422, "Không tìm thấy máy chủ có tên này.", "No host of this name can be found."
    ),
    "webhook_registered": Row(
        409, "Hệ thống đã đăng ký địa chỉ này.", "The system has registered this address already."
    ),
    "webhooks_too_many": Row(
        409,
        "Hệ thống có quá nhiều địa chỉ nhận thông báo, hoặc đăng ký quá nhiều trong một ngày.",
        "The system has too many web hooks, or registered too many in one day.",
    ),
    "webhook_topic_unknown": Row(422, "Không có chủ đề này.", "There is no topic of this name."),
    "webhook_code_wrong": Row(
        422, "Đây không phải mã đã gửi tới địa chỉ đó.", "This is not the code that was sent to that address."
    ),
}

ROWS: dict[str, Row] = (
    _REQUEST | _CATALOGUE | _FILES | _FIELDS | _CONSENTS | _AUDIT | _CREDENTIALS | _VAULT | _WEBHOOKS
)
