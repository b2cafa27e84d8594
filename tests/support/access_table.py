"""Who may ask what: the whole of it, one line a route, columns in the order of `cast.CALLERS`.

`own` is an answer, and nothing in it that is not the caller's to see; 404 is another's, as if there
were none; 403 is for other roles altogether; 401 is nobody. Routes that read are asked for the
October case's data, routes that write for the other employer's.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.case.addresses import SERVICES
from tests.support.cast import CALLERS, OTHER_EMPLOYER

_DEAD_LETTERS = """
GET  /dead-letters                          403  403  403  403  403  own  403  401
GET  /dead-letters/{topic}/{key}            403  403  403  403  403  own  403  401
POST /dead-letters/{topic}/{key}/drop       403  403  403  403  403  own  403  401
POST /dead-letters/{topic}/{key}/replay     403  403  403  403  403  own  403  401
"""

_ROUTES = {
    "payroll-svc": """
                                            emp  coll out  hr   oth  op   svc  none
GET  /employees                             403  403  403  own  404  403  403  401
GET  /employees/{employee_id}               own  404  404  own  404  403  403  401
POST /employees/{employee_id}/erasure       403  403  403  own  404  403  403  401
GET  /employees/{employee_id}/standing-items  own  404  404  own  404  403  403  401
POST /employees/{employee_id}/standing-items  403  403  403  own  404  403  403  401
GET  /employees/{employee_id}/tax-declaration own  404  404  own  404  403  403  401
PUT  /employees/{employee_id}/tax-declaration 403  403  403  own  404  403  403  401
GET  /employers                             403  403  403  own  own  403  403  401
POST /employers                             403  403  403  403  403  own  403  401
GET  /employers/{employer_id}               403  403  403  own  404  own  403  401
PUT  /employers/{employer_id}               403  403  403  403  403  own  403  401
GET  /entries                               403  403  403  own  404  403  403  401
POST /entries                               403  403  403  own  404  403  403  401
GET  /exports                               403  403  403  own  404  403  403  401
POST /exports                               403  403  403  own  404  403  403  401
GET  /exports/{export_id}/file              403  403  403  own  404  403  403  401
GET  /imported-payslips                     own  own  404  own  404  403  403  401
GET  /imports                               403  403  403  own  404  403  403  401
POST /imports                               403  403  403  own  404  403  403  401
GET  /imports/{import_id}                   403  403  403  own  404  403  403  401
GET  /imports/{import_id}/annotated         403  403  403  own  404  403  403  401
POST /imports/{import_id}/apply             403  403  403  own  404  403  403  401
GET  /imports/{import_id}/changes           403  403  403  own  404  403  403  401
POST /imports/{import_id}/undo              403  403  403  own  404  403  403  401
GET  /pay-items                             403  403  403  own  404  403  403  401
POST /pay-items                             403  403  403  own  404  403  403  401
GET  /payroll-runs                          403  403  403  own  404  403  403  401
POST /payroll-runs                          403  403  403  own  404  403  403  401
GET  /payroll-runs/{run_id}                 403  403  403  own  404  403  403  401
POST /payroll-runs/{run_id}/approve         403  403  403  own  404  403  403  401
POST /payroll-runs/{run_id}/check           403  403  403  own  404  403  403  401
POST /payroll-runs/{run_id}/correct         403  403  403  own  404  403  403  401
GET  /payroll-runs/{run_id}/people          403  403  403  own  404  403  403  401
POST /payroll-runs/{run_id}/pay             403  403  403  own  404  403  403  401
POST /payroll-runs/{run_id}/recompute       403  403  403  own  404  403  403  401
GET  /payslip-disputes                      403  403  403  own  404  403  403  401
GET  /payslips                              own  own  404  own  404  403  403  401
GET  /payslips/{run_id}/{employee_id}       own  404  404  own  404  403  403  401
POST /payslips/{run_id}/{employee_id}/answer  403  403  403  own  404  403  403  401
POST /payslips/{run_id}/{employee_id}/confirm own  404  404  403  403  403  403  401
POST /payslips/{run_id}/{employee_id}/dispute own  404  404  403  403  403  403  401
GET  /payslips/{run_id}/{employee_id}/figures/{figure} own  404  404  own  404  403  403  401
GET  /sums                                  403  403  403  own  404  own  403  401
GET  /wage-deadlines/{employer_id}          403  403  403  own  404  403  403  401
PUT  /wage-deadlines/{employer_id}          403  403  403  own  404  403  403  401
GET  /wage-hand-ins                         403  403  403  own  404  403  403  401
GET  /wage-hand-ins/on-time                 403  403  403  own  404  403  403  401
POST /wage-hand-ins/{department_id}/{levy_period}/nothing 403 403 403 own 404 403 403 401
""",
    "contribution-svc": """
                                            emp  coll out  hr   oth  op   svc  none
GET  /arrears                               own  404  404  own  404  403  403  401
GET  /assessments                           own  own  404  own  404  403  403  401
GET  /base-campaigns                        403  403  403  own  404  403  403  401
POST /base-campaigns                        403  403  403  own  404  403  403  401
GET  /base-campaigns/{campaign_id}          403  403  403  own  404  403  403  401
POST /base-campaigns/{campaign_id}/close    403  403  403  own  404  403  403  401
GET  /base-campaigns/{campaign_id}/export   403  403  403  own  404  403  403  401
GET  /base-campaigns/{campaign_id}/members  403  403  403  own  404  403  403  401
POST /base-campaigns/{campaign_id}/members/{employee_id}/answer 403 403 403 own 404 403 403 401
GET  /base-campaigns/{campaign_id}/verified 403  403  403  own  404  403  403  401
GET  /base-confirmations                    own  404  404  own  404  403  403  401
POST /base-confirmations/{campaign_id}/confirm own own 404  403  403  403  403  401
POST /base-confirmations/{campaign_id}/dispute own own 404  403  403  403  403  401
GET  /bases                                 own  404  404  own  404  403  403  401
GET  /declarations                          403  403  403  own  404  403  403  401
POST /declarations/{declaration_id}/approve 403  403  403  own  404  403  403  401
GET  /explanations/base                     own  404  404  own  404  403  403  401
GET  /explanations/contribution             own  404  404  own  404  403  403  401
GET  /deferrals                             403  403  403  own  404  403  403  401
POST /deferrals                             403  403  403  own  404  403  403  401
POST /deferrals/{deferral_id}/approve       403  403  403  404  404  403  403  401
POST /deferrals/{deferral_id}/refuse        403  403  403  404  404  403  403  401
GET  /late-fees                             403  403  403  own  404  403  403  401
POST /lines/check                           403  403  403  own  404  403  403  401
POST /lines/check-file                      403  403  403  own  404  403  403  401
GET  /policies                              own  own  own  own  own  own  own  401
GET  /policies/{city}                       own  own  own  own  own  own  own  401
GET  /policies/{city}/in-force              own  own  own  own  own  own  own  401
GET  /policy-proposals                      403  403  403  403  403  own  403  401
POST /policy-proposals                      403  403  403  403  403  own  403  401
GET  /policy-proposals/{proposal_id}        403  403  403  403  403  404  403  401
POST /policy-proposals/{proposal_id}/approve 403 403  403  403  403  404  403  401
GET  /policy-proposals/{proposal_id}/employers 403 403 403 403  403  404  403  401
POST /policy-proposals/{proposal_id}/reject 403  403  403  403  403  404  403  401
POST /policy-proposals/{proposal_id}/simulate 403 403 403  403  403  404  403  401
GET  /policy-releases                       403  403  403  own  404  403  403  401
GET  /policy-releases/{proposal_id}/people  403  403  403  404  404  403  403  401
GET  /policy-releases/{proposal_id}/people/file 403 403 403 404 404  403  403  401
POST /policy-updates                        403  403  403  403  403  own  403  401
GET  /statements                            403  403  403  own  404  403  403  401
POST /statements                            403  403  403  own  404  403  403  401
GET  /provisional-assessments               403  403  403  own  404  403  403  401
GET  /refunds                               403  403  403  own  404  403  403  401
POST /refunds                               403  403  403  own  404  403  403  401
POST /refunds/{refund_id}/answer            403  403  403  404  404  403  403  401
GET  /sums                                  403  403  403  own  404  own  403  401
GET  /supplementary-declarations            403  403  403  own  404  403  403  401
POST /supplementary-declarations            403  403  403  own  404  403  403  401
POST /supplementary-declarations/{declaration_id}/approve 403 403 403 404 404 403 403 401
GET  /suspense                              403  403  403  own  404  403  403  401
POST /webhooks/bank                         401  401  401  401  401  401  401  401
""",
    "bureau-sync-svc": """
                                            emp  coll out  hr   oth  op   svc  none
GET  /authorities                           403  403  403  own  own  own  403  401
GET  /bureau-rows                           own  own  404  own  404  403  403  401
GET  /exchanges                             403  403  403  own  404  403  403  401
POST /look-ups                              403  403  403  own  404  403  403  401
GET  /submissions                           403  403  403  own  404  403  403  401
GET  /sums                                  403  403  403  own  404  403  403  401
""",
    "reconciliation-svc": """
                                            emp  coll out  hr   oth  op   svc  none
GET  /anomalies                             403  403  403  own  404  403  403  401
GET  /bridge                                403  403  403  own  404  own  403  401
GET  /cells                                 own  own  404  own  404  403  403  401
GET  /cells/counts                          403  403  403  own  404  own  403  401
GET  /look-up-alarms                        403  403  403  403  403  own  403  401
POST /periods/close                         403  403  403  own  404  403  403  401
""",
    "ticket-svc": """
                                            emp  coll out  hr   oth  op   svc  none
POST /feedback                              own  own  own  403  403  403  403  401
GET  /incidents                             403  403  403  own  404  403  403  401
GET  /ticket-counts                         403  403  403  403  403  own  403  401
GET  /tickets                               own  own  404  own  404  403  403  401
GET  /tickets/{ticket_id}                   own  404  404  own  404  403  403  401
POST /tickets/{ticket_id}/assign            403  403  403  own  404  403  403  401
POST /tickets/{ticket_id}/reopen            own  404  404  own  404  403  403  401
POST /tickets/{ticket_id}/replies           own  404  404  own  404  403  403  401
POST /tickets/{ticket_id}/resolve           403  403  403  own  404  403  403  401
POST /tickets/{ticket_id}/resume            403  403  403  own  404  403  403  401
""",
    "notify-svc": """
                                            emp  coll out  hr   oth  op   svc  none
GET  /me/notifications                      own  own  own  own  own  403  403  401
GET  /notifications                         403  403  403  own  404  403  403  401
GET  /preferences                           own  own  own  403  403  403  403  401
PUT  /preferences                           own  own  own  403  403  403  403  401
""",
    "portal-svc": """
                                            emp  coll out  hr   oth  op   svc  none
GET  /authorities                           own  own  own  own  own  own  own  401
GET  /hr/employees/{employee_id}/months     403  403  403  own  404  403  403  401
GET  /hr/months/{levy_period}/bridge        403  403  403  own  404  403  403  401
GET  /hr/months/{levy_period}/cells         403  403  403  own  404  own  403  401
GET  /hr/tickets                            403  403  403  own  404  403  403  401
GET  /hr/tickets/{ticket_id}                403  403  403  own  404  403  403  401
POST /me/feedback                           own  own  own  403  403  403  403  401
GET  /me/months                             own  own  own  403  403  403  403  401
GET  /me/months/{levy_period}               own  own  404  403  403  403  403  401
""",
}

Route = tuple[str, str, str]
"""Service, method, path as the service's document has it."""


def _table() -> dict[Route, dict[str, str]]:
    table = {}
    for service in SERVICES:
        for line in (_ROUTES[service] + _DEAD_LETTERS).splitlines():
            words = line.split()
            if not words or words[0] == "emp":
                continue
            method, path, *answers = words
            route = (service, method, f"/api/v1{path}")
            assert route not in table, f"{route} has two lines"
            table[route] = dict(zip(CALLERS, answers, strict=True))
    return table


TABLE = _table()

REFUSED_FOR_ITS_STATE = (409, 422)
"""What a write may be answered by whoever may make it: the domain refuses it, or what is in it."""

Content = dict[str, Any]
# Refused for its empty text, since whoever may give feedback opens a ticket by it.
_FEEDBACK: Content = {"insurances": ["medical"], "kind": "other", "text": ""}
_DEFERRAL: Content = {
    "insurances": ["pension"],
    "first_period": "2024-10",
    "last_period": "2024-10",
    "until": "2025-03-31",
    "ground": "force_majeure",
    "document_no": "税缓〔2024〕1号",
    "granted_by": "示例甲市税务局",
}
_NO_FILE = {"file": ("broken.xml", b"<nothing", "text/xml")}
_SIGNED_WRONGLY = {
    "webhook-id": "msg_strangers",
    "webhook-timestamp": "1730682000",
    "webhook-signature": "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}

_CONTENTS: Mapping[str, Callable[[Mapping[str, str]], Content]] = {
    "/employers": lambda ids: {"json": {**OTHER_EMPLOYER, "uscc": ids["uscc"]}},
    "/employers/{employer_id}": lambda ids: {"json": {**OTHER_EMPLOYER, "uscc": ids["uscc"]}},
    # Refused for their state: nobody of the other employer has left, and nobody has this number.
    "/employees/{employee_id}/erasure": lambda _: {"json": {"reason": "asked_by_person"}},
    "/lines/check": lambda ids: {
        "json": {
            **_named(ids, "employer_id", "levy_period"),
            "lines": [{"employee_no": "NOBODY", "insurance": "medical", "employee_fen": 1}],
        }
    },
    "/lines/check-file": lambda ids: {
        "data": _named(ids, "employer_id", "levy_period"),
        "files": _NO_FILE,
    },
    "/base-campaigns": lambda ids: {
        "json": {
            **_named(ids, "employer_id"),
            "contribution_year": int(ids["contribution_year"]),
            "confirm_by": "2024-12-31",
        }
    },
    "/base-campaigns/{campaign_id}/members/{employee_id}/answer": lambda _: {
        "json": {"decision": "keep", "reason": "没有异议可答复"}
    },
    "/base-confirmations/{campaign_id}/confirm": lambda _: {"json": {"version": 0}},
    "/base-confirmations/{campaign_id}/dispute": lambda _: {"json": {"version": 0, "words": "少"}},
    "/imports": lambda ids: {
        "data": {"kind": "roster", "employer_id": ids["employer_id"]},
        "files": _NO_FILE,
    },
    "/exports": lambda ids: {
        "json": {"kind": "roster", "reason": "核对", **_named(ids, "employer_id")}
    },
    "/imports/{import_id}/apply": lambda _: {"json": {"take": "whole"}},
    # Refused for its state: nothing of the other employer is applied and may still be undone.
    "/imports/{import_id}/undo": lambda _: {"json": {"reason": "误传"}},
    "/wage-deadlines/{employer_id}": lambda _: {"json": {"deadlines": []}},
    "/payroll-runs": lambda ids: {"json": _named(ids, "employer_id", "levy_period")},
    "/supplementary-declarations": lambda ids: {"json": _named(ids, "account_id", "levy_period")},
    "/supplementary-declarations/{declaration_id}/approve": lambda _: {"json": {}},
    "/refunds": lambda ids: {
        "json": {**_named(ids, "account_id", "levy_period"), "document_no": "税退1号"}
    },
    "/refunds/{refund_id}/answer": lambda _: {"json": {"reason": "资料不齐"}},
    "/deferrals/{deferral_id}/refuse": lambda _: {"json": {"reason": "文件号不符"}},
    "/deferrals": lambda ids: {"json": {**_DEFERRAL, **_named(ids, "account_id")}},
    "/payroll-runs/{run_id}/check": lambda _: {"json": {}},
    "/payroll-runs/{run_id}/correct": lambda _: {
        "json": {"payday": "2024-10-08", "reason": "漏发补贴"}
    },
    "/pay-items": lambda ids: {
        "json": {
            **_named(ids, "employer_id"),
            "code": "night_allowance",
            "name": "夜班津贴",
            "law": "《关于工资总额组成的规定》第四条",
        }
    },
    "/entries": lambda ids: {
        "json": {
            **_named(ids, "employer_id", "levy_period"),
            "entries": [{"employee_id": ids["employee_id"], "code": "bonus", "amount_fen": 1}],
        }
    },
    "/employees/{employee_id}/standing-items": lambda _: {
        "json": {"items": [{"code": "allowance", "since": "2024-12-01", "amount_fen": 1}]}
    },
    "/employees/{employee_id}/tax-declaration": lambda _: {"json": {}},
    "/payslips/{run_id}/{employee_id}/dispute": lambda _: {"json": {"words": "加班费少了。"}},
    "/payslips/{run_id}/{employee_id}/answer": lambda _: {"json": {"words": "已核对，无误。"}},
    "/statements": lambda ids: {"data": _named(ids, "employer_id"), "files": _NO_FILE},
    "/policy-proposals": lambda _: {"files": {"file": ("broken.yaml", b"city: 1", "text/yaml")}},
    "/policy-proposals/{proposal_id}/approve": lambda _: {"json": {"sha256": "0" * 64}},
    "/policy-proposals/{proposal_id}/reject": lambda _: {"json": {"reason": "no such proposal"}},
    "/policy-updates": lambda _: {"files": {"file": ("broken.json", b"{}", "application/json")}},
    "/webhooks/bank": lambda _: {
        "json": {"type": "statement.published"},
        "headers": _SIGNED_WRONGLY,
    },
    "/look-ups": lambda ids: {"json": _named(ids, "account_id", "levy_period")},
    "/periods/close": lambda ids: {"json": _named(ids, "employer_id", "levy_period")},
    "/feedback": lambda ids: {"json": {**_FEEDBACK, **_named(ids, "levy_period")}},
    "/me/feedback": lambda ids: {"json": {**_FEEDBACK, **_named(ids, "levy_period")}},
    "/tickets/{ticket_id}/assign": lambda _: {"json": {"sub": "hr.nobody"}},
    "/tickets/{ticket_id}/replies": lambda _: {"json": {"text": "已收到。"}},
    "/tickets/{ticket_id}/resolve": lambda _: {"json": {"reason": "已核对，记录无误"}},
    "/preferences": lambda _: {"json": {"email": True}},
    "/dead-letters/{topic}/{key}/drop": lambda _: {"json": {"reason": "no such event"}},
}
"""The body of each route that takes one; a broken file where a good one would be taken in."""


def _named(ids: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: ids[name] for name in names}


def content_of(path: str, ids: Mapping[str, str]) -> Content:
    """What goes with a writing request to `path`, about `ids`."""
    made = _CONTENTS.get(path.removeprefix("/api/v1"))
    content = made(ids) if made else {}
    return {
        **content,
        "headers": {"Idempotency-Key": str(uuid.uuid4()), **content.get("headers", {})},
    }
