"""Flows that are by nature about a vault in one process: named here alone, each with its reason.

With `--parts=several` they are skipped, and the summary says so. Whatever else fails there fails.
"""

ONE_PROCESS = "only where everything is one process: "
NOT_APART: dict[str, str] = {
    "test_me.py::test_the_page_of_sessions_promises_no_end_that_a_session_by_code_does_not_have": (
        "the demo's code opens no door where a provider is named"
    ),
    "test_odd_provider.py": "each test begins before a gate that has not heard of the provider yet",
    "test_seals_once.py::test_a_process_that_died_with_the_signature_of_a_service_leaves_it_to_a_person": (
        "it takes a step out of the sealer, which is another process"
    ),
    "test_seals_once.py::test_a_file_key_that_could_not_be_used_seals_the_same_request_later": (
        "it puts another function into the sealer's key, which is in another process"
    ),
    "test_seen_running.py::test_what_is_done_later_carries_the_trace_that_caused_it": (
        "it breaks the index of the process that works, which is another one"
    ),
}


def why_not(nodeid: str) -> str | None:
    """Give why a flow cannot run on several parts; None: it can."""
    name = nodeid.partition("[")[0].rpartition("/")[2]
    reason = NOT_APART.get(name) or NOT_APART.get(name.partition("::")[0])
    return f"{ONE_PROCESS}{reason}" if reason else None
