# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables behind the options of a lookup. Those of the connection are set for the hosts of the inventory."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    vars: [{name: infisical_url}]
  validate_certs:
    vars: [{name: infisical_validate_certs}]
  ca_path:
    vars: [{name: infisical_ca_path}]
  client_cert:
    vars: [{name: infisical_client_cert}]
  client_key:
    vars: [{name: infisical_client_key}]
  timeout:
    vars: [{name: infisical_timeout}]
  auth_method:
    vars: [{name: infisical_auth_method}]
  universal_auth_client_id:
    vars: [{name: infisical_universal_auth_client_id}]
  universal_auth_client_secret:
    vars: [{name: infisical_universal_auth_client_secret}]
  token:
    vars: [{name: infisical_token}]
  identity_id:
    vars: [{name: infisical_identity_id}]
  jwt:
    vars: [{name: infisical_jwt}]
  jwt_path:
    vars: [{name: infisical_jwt_path}]
  ldap_username:
    vars: [{name: infisical_ldap_username}]
  ldap_password:
    vars: [{name: infisical_ldap_password}]
  metadata_url:
    vars: [{name: infisical_metadata_url}]
  azure_resource:
    vars: [{name: infisical_azure_resource}]
  aws_region:
    vars: [{name: infisical_aws_region}]
  organization_slug:
    vars: [{name: infisical_organization_slug}]
  login_data:
    vars: [{name: infisical_login_data}]
  revoke_token:
    vars: [{name: infisical_revoke_token}]
  project_id:
    vars: [{name: infisical_project_id}]
  project_slug:
    vars: [{name: infisical_project_slug}]
  environment:
    vars: [{name: infisical_environment}]
  secret_path:
    vars: [{name: infisical_secret_path}]
notes:
  - What is given to the lookup itself wins over the variables, and these win over the environment. Where any option of
    the login is given to the lookup itself, no variable of the login is used, and so with the project and with the
    client certificate. O(login_data) given to the lookup itself tells O(url) too.
  - The environment is that of ansible-core on the controller. The keyword C(environment) of a task does not reach a
    lookup.
"""
