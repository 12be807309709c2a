# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which options make a question to Okta, and which are refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils import _okta
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError

SECRET = "kW3-very_secret_kW3"
OPTIONS: dict[str, Any] = {"okta_url": "https://company.okta.com", "client_id": "0oa1", "client_secret": SECRET}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"okta_url": " "}, "give it as https://company.okta.com"),
        ({"okta_url": "company.okta.com"}, "give it as https://company.okta.com"),
        ({"okta_url": "https://company.okta.com?x=1"}, "give it as https://company.okta.com"),
        ({"okta_url": "https://robot:hunter22@company.okta.com"}, "user name or password"),
        ({"okta_url": "https://company.okta.com/oauth2"}, "give okta_url as https://company.okta.com."),
        ({"okta_url": "https://c.okta.com/oauth2/v1/token"}, "give okta_url as https://c.okta.com."),
        (
            {"okta_url": "https://c.okta.com/oauth2/default/"},
            "give okta_url as https://c.okta.com, and 'default' as authorization_server.",
        ),
        (
            {"okta_url": "https://c.okta.com/x/oauth2/aus1/v1/token"},
            "give okta_url as https://c.okta.com/x, and 'aus1' as authorization_server.",
        ),
        ({"okta_url": "https://c.okta.com/oauth2/v1x"}, "and 'v1x' as authorization_server."),
        ({"okta_url": "https://c-admin.okta.com"}, "give it as https://c.okta.com."),
        ({"okta_url": "https://c-admin.oktapreview.com/"}, "give it as https://c.oktapreview.com."),
        ({"okta_url": "https://C-Admin.okta-emea.com"}, "give it as https://c.okta-emea.com."),
        ({"client_id": " "}, "client_id is blank"),
        ({"client_id": None}, "client_id is blank"),
        ({"client_id": "0oa:1"}, "client_id holds a colon"),
        ({"client_id": "0oa1 "}, "client_id holds outer blanks"),
        ({"client_id": "0o\x00a1"}, "client_id holds outer blanks or control characters"),
        ({"client_secret": ""}, "client_secret is blank"),
        ({"client_secret": f"{SECRET}\n"}, "the end of a line in the file"),
        ({"client_secret": f"{SECRET}\udc80"}, "client_secret holds"),
        ({"authorization_server": "https://c.okta.com/oauth2/default"}, "give its id, as 'default'"),
        ({"authorization_server": "default\n"}, "give its id, as 'default'"),
        ({"timeout": 0}, "timeout is 0"),
        ({"ca_path": "/nonexistent"}, "ca_path is /nonexistent"),
        ({"client_cert": "/nonexistent"}, "client_cert is /nonexistent"),
        ({"client_key": "/nonexistent"}, "client_key is given without client_cert"),
    ],
)
def test_a_typing_error_is_refused_before_anything_is_sent(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InfisicalError) as caught:
        _okta.question({**OPTIONS, **options})
    assert caught.value.reason == "invalid_arguments"
    assert told in caught.value.message
    assert SECRET not in caught.value.message
    assert "hunter22" not in caught.value.message
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("host", ["oauth2.company.com", "admin.company.com", "team-admin.company.com", "x.okta.com"])
def test_hosts_that_only_look_so_are_taken(host: str) -> None:
    assert _okta.question({**OPTIONS, "okta_url": f"https://{host}/"}).connection.url == f"https://{host}"


def test_what_is_left_out_has_its_default() -> None:
    asked = _okta.question({**OPTIONS, "ca_path": "", "client_cert": None})
    assert (asked.client_auth_method, asked.authorization_server) == ("client_secret_basic", "")
    connection = asked.connection
    assert (connection.validate_certs, connection.timeout, connection.environment) == (True, 90, True)
    assert (connection.ca_path, connection.client_cert, connection.client_key) == (None, None, None)
