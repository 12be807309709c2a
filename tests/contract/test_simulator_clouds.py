# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the logins that lean on a cloud answer to its tokens and signatures."""

from __future__ import annotations

import base64

import pytest
from contract.login_world import FOREIGN, GENERIC, World, aws_request
from simulator.errors import ApiError
from simulator.metadata import AZURE_PATH, GCP_PATH, Metadata
from simulator.proofs import signed

AZURE = "https://management.azure.com/"


@pytest.fixture
def world() -> World:
    return World()


def test_aws(world: World) -> None:
    world.identity.methods["aws-auth"] = {"accessKeys": {"AKIAEXAMPLE": "secret"}}
    for body in (
        aws_request(),
        aws_request("AKIAOTHER"),
        aws_request(action="ListUsers"),
        aws_request(Authorization="Bearer x"),
        {**aws_request(), "iamRequestBody": "?"},
        {**aws_request(), "iamRequestHeaders": base64.b64encode(b"[]").decode()},
    ):
        assert world.refusal("aws-auth", **body) == GENERIC
    world.identity.methods["aws-auth"]["failure"] = "arn"
    assert world.refusal("aws-auth", **aws_request())[0] == 401


def test_an_aws_signature_is_the_one_that_aws_publishes() -> None:
    """ "post-vanilla" of the test suite for signature version 4."""
    headers = {
        "host": "example.amazonaws.com",
        "x-amz-date": "20150830T123600Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    }
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    assert signed("POST", headers, "", {"AKIDEXAMPLE": secret})
    assert not signed("POST", headers, "", {"AKIDEXAMPLE": secret.lower()})
    assert not signed("POST", headers, "", {"AKIDOTHER": secret})
    assert not signed("POST", headers, "body", {"AKIDEXAMPLE": secret})
    assert not signed("POST", {**headers, "x-amz-date": "20150830T123601Z"}, "", {"AKIDEXAMPLE": secret})


def test_the_metadata_service_gives_tokens_that_the_logins_accept(world: World) -> None:
    metadata = Metadata(world.store)
    world.identity.methods.update({"gcp-auth": {}, "azure-auth": {}})
    audience = {"audience": world.identity.id, "format": "full"}
    assert metadata.answer(GCP_PATH, audience, {})[0] == 403
    status, _unused, token = metadata.answer(GCP_PATH, audience, {"metadata-flavor": "Google"})
    assert status == 200
    assert world.login("gcp-auth", jwt=token)["accessToken"]

    query = {"api-version": "2018-02-01", "resource": AZURE}
    assert metadata.answer(AZURE_PATH, query, {})[0] == 400
    status, _unused, body = metadata.answer(AZURE_PATH, query, {"metadata": "true"})
    assert status == 200
    assert world.login("azure-auth", jwt=body["access_token"])["accessToken"]


def _google(world: World, audience: str) -> str:
    return str(Metadata(world.store).answer(GCP_PATH, {"audience": audience}, {"metadata-flavor": "Google"})[2])


def _azure(world: World, resource: str) -> str:
    query = {"api-version": "2018-02-01", "resource": resource}
    return str(Metadata(world.store).answer(AZURE_PATH, query, {"metadata": "true"})[2]["access_token"])


def test_gcp_answers_a_bare_500_to_every_token_that_is_not_good(world: World) -> None:
    world.identity.methods["gcp-auth"] = {}
    own = _google(world, world.identity.id)
    for text in (_google(world, "x"), _azure(world, world.identity.id), f"{own}x"):
        assert world.refusal("gcp-auth", jwt=text) == GENERIC
    world.clock.advance(3600)
    assert world.refusal("gcp-auth", jwt=own) == GENERIC


def test_azure_tells_what_is_wrong_with_a_token_as_a_token_error(world: World) -> None:
    world.identity.methods["azure-auth"] = {}
    good = _azure(world, AZURE)
    cases = {
        _azure(world, "api://infisical"): f"jwt audience invalid. expected: {AZURE}",
        _google(world, AZURE): "jwt issuer invalid. expected: https://sts.windows.net/",
        FOREIGN: "invalid signature",
    }
    for text, message in cases.items():
        assert world.refusal("azure-auth", jwt=text) == (403, message)
    world.clock.advance(3600)
    assert world.refusal("azure-auth", jwt=good) == (403, "Your token has expired. Please re-authenticate.")
    with pytest.raises(ApiError) as caught:
        world.login("azure-auth", jwt=good)
    assert caught.value.error == "TokenError"


def test_azure_wants_the_resource_that_the_identity_is_set_up_with(world: World) -> None:
    world.identity.methods["azure-auth"] = {"resource": "api://infisical"}
    assert world.login("azure-auth", jwt=_azure(world, "api://infisical"))["accessToken"]
    assert world.refusal("azure-auth", jwt=_azure(world, AZURE))[0] == 403
