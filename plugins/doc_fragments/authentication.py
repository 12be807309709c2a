# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the login, as _options.AUTHENTICATION has them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  auth_method:
    description:
      - How to log in.
      - Left out, it is E(INFISICAL_AUTH_METHOD) where that method takes every option of the login that the task gives;
        else it follows from those options, and where there are none, from the environment variables below. A client
        id means V(universal_auth), a token V(token_auth), an LDAP user V(ldap_auth), a JWT V(oidc_auth). The other
        methods have to be named. Credentials of two methods at once are an error.
      - An option or environment variable that is blank counts as not given, here and below.
    type: str
    choices:
      - universal_auth
      - token_auth
      - oidc_auth
      - jwt_auth
      - ldap_auth
      - kubernetes_auth
      - gcp_auth
      - azure_auth
      - aws_auth
  universal_auth_client_id:
    description:
      - The client id of the machine identity, for V(universal_auth).
      - Left out, E(INFISICAL_UNIVERSAL_AUTH_CLIENT_ID) or E(UNIVERSAL_AUTH_MACHINE_IDENTITY_CLIENT_ID) is used, the
        latter where both are set.
    type: str
  universal_auth_client_secret:
    description:
      - The client secret of the machine identity, for V(universal_auth).
      - Left out, E(INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET) or E(UNIVERSAL_AUTH_MACHINE_IDENTITY_CLIENT_SECRET) is used,
        the latter where both are set.
    type: str
  token:
    description:
      - An access token, for V(token_auth). It is never revoked.
      - Left out, E(INFISICAL_TOKEN) is used.
    type: str
  identity_id:
    description:
      - The id of the machine identity, a UUID, for every method but V(universal_auth) and V(token_auth).
      - Left out, E(INFISICAL_MACHINE_IDENTITY_ID) is used.
    type: str
  jwt:
    description:
      - The JSON web token of the identity provider, for V(oidc_auth), V(jwt_auth), V(kubernetes_auth), V(gcp_auth) and
        V(azure_auth).
      - Left out, E(INFISICAL_JWT) or E(INFISICAL_OIDC_AUTH_JWT) is used, the latter where both are set, unless
        O(jwt_path) or O(metadata_url) is given.
    type: str
  jwt_path:
    description:
      - A file that holds the JSON web token, in the place of O(jwt), on the host that runs the task. It is read at each
        login, so that it may be replaced while a task runs.
      - Left out, E(INFISICAL_JWT_PATH) is used. For V(kubernetes_auth), where no O(jwt) is given either, it is the
        service account's C(/var/run/secrets/kubernetes.io/serviceaccount/token).
    type: path
  ldap_username:
    description:
      - The user name, for V(ldap_auth).
      - Left out, E(INFISICAL_LDAP_USERNAME) is used.
    type: str
  ldap_password:
    description:
      - The password, for V(ldap_auth).
      - Left out, E(INFISICAL_LDAP_PASSWORD) is used.
    type: str
  metadata_url:
    description:
      - The metadata service that is asked for the token of this virtual machine when neither O(jwt) nor O(jwt_path) is
        given, for V(gcp_auth) and V(azure_auth). Proxies are not used for it.
      - Left out, E(INFISICAL_METADATA_URL) is used, else V(http://metadata.google.internal) for V(gcp_auth) and
        V(http://169.254.169.254) for V(azure_auth).
    type: str
  azure_resource:
    description:
      - The resource (audience) for which a token is asked of Azure's metadata service, for V(azure_auth).
      - Left out, E(INFISICAL_AZURE_RESOURCE) is used, else V(https://management.azure.com/), which is Infisical's own
        default.
    type: str
  aws_region:
    description:
      - The region whose Security Token Service Infisical asks who this host is, for V(aws_auth). The AWS credentials
        are those that botocore finds on the host that runs the task.
      - Left out, the first of E(INFISICAL_AWS_REGION), E(AWS_REGION) and E(AWS_DEFAULT_REGION) that is set is used,
        else the region of the AWS profile, else V(us-east-1).
    type: str
  organization_slug:
    description:
      - The slug of the sub-organisation that the token shall be for, with every method but V(token_auth).
      - Left out, E(INFISICAL_AUTH_ORGANIZATION_SLUG) is used, else it is the organisation of the identity.
    type: str
  login_data:
    description:
      - What a login module returned, C(infisical.vault.login) or the one of this collection. Its token is never
        revoked.
      - Credentials may stand beside it only when they are of the identity that it names.
      - Left out, the task logs in itself, or uses O(token).
    type: dict
    suboptions:
      url:
        description: The server at which the token was made.
        type: str
        required: true
      access_token:
        description: The token.
        type: str
        required: true
      expires_in:
        description: The number of seconds it lives from the login on. Left out, that is unknown. It is not used.
        type: int
      auth_method:
        description: The method by which it was made. Left out, its token can't be replaced when it ends.
        type: str
      identity:
        description: What names the identity. Left out, its token can't be replaced when it ends.
        type: str
  revoke_token:
    description:
      - Whether a token that this task made is revoked when the task ends, whatever happened.
      - Left out, it is revoked. A token that was given never is.
    type: bool
    default: true
requirements:
  - botocore (Python library) on the host that runs the task, for O(auth_method=aws_auth) only
"""
