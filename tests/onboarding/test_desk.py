from django.contrib import admin
from tests.conftest import pages_of
def test_x(db, reviewer):
    print(sorted(m._meta.label_lower for m in admin.site._registry))
    from io import StringIO
    from django.core.management import call_command
    r=pages_of(reviewer).get("/admin/"); assert r.status_code==200
    call_command("generate_onboardings","--yes-really","--count","1000",stdout=StringIO())
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    c=pages_of(reviewer)
    c.get("/admin/")
    with CaptureQueriesContext(connection) as q:
        r=c.get("/admin/")
    for x in q.captured_queries: print(x["sql"][:160], x["time"])
    print(len(q))
