import os, time, cProfile, pstats, re
import pytest
from django.db import connection
from onboarding import steps, transitions, tasks
from onboarding.models import Onboarding
from tests.conftest import *
from tenants import walls
from tenants.keys import create_key
from rest_framework.test import APIClient

OUT = open("/tmp/st_sql.txt", "w")

def journey(api, sandbox, tenant, log=None, kind="approve", mode="business_platform", **params):
    made = api.post("/api/v1/onboardings/", {"connection_mode": mode, "tenant": tenant.slug}, format="json").json()
    w = sandbox.finish(mode, kind, **params)
    path = f"/api/v1/onboardings/{made['id']}/"
    phase = ["web"]
    def rec(execute, sql, params, many, context):
        t = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if log is not None: log.append((phase[0], (time.perf_counter()-t)*1000, sql))
    with connection.execute_wrapper(rec):
        c0=time.process_time()
        a = api.post(path + "signup/", {k: w[k] for k in ("waba_id", "phone_number_id", "event") if w.get(k)}, format="json")
        assert a.status_code == 202
        c1=time.process_time()
        phase[0] = "worker"
        row = Onboarding.objects.get(public_id=made["id"])
        tasks.advance_onboarding(onboarding_id=row.pk)
        c2=time.process_time()
        phase[0] = "get"
        with walls.seeing_nothing():
            shown = api.get(path).json()
        c3=time.process_time()
    return shown, (c1-c0, c2-c1, c3-c2)

@pytest.mark.django_db(transaction=True)
def test_profile(tenant, owner, sandbox, settings):
    settings.API_RATE_PER_MINUTE = settings.LAUNCHES_PER_MINUTE = 100000
    settings.META_APP_SECRET = ""
    settings.ONBOARDING_UNPROVEN = "continue"
    _, key = create_key("b", ["onboardings:read", "onboardings:write", "tenants:write"], actor="x")
    api = APIClient(); api.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    for _ in range(5):
        shown, _c = journey(api, sandbox, tenant)
        assert shown["state"] == "connected", shown
    log = []
    journey(api, sandbox, tenant, log)
    for ph, ms, sql in log: print(f"{ph:7} {ms:6.2f} {sql[:int(os.environ.get('W','400'))]}", file=OUT)
    from collections import Counter
    print(Counter(p for p,_,_ in log), file=OUT)
    cs=[journey(api, sandbox, tenant)[1] for _ in range(15)]
    import statistics
    print("cpu ms", [round(1000*statistics.median(c[i] for c in cs),1) for i in range(3)], file=OUT)
    pr = cProfile.Profile(); pr.enable()
    for _ in range(15): journey(api, sandbox, tenant)
    pr.disable()
    pr.dump_stats("/tmp/st.prof")
    s = pstats.Stats(pr, stream=OUT); s.sort_stats("cumulative").print_stats(110)
    s.sort_stats("tottime").print_stats(45)
    OUT.flush()
