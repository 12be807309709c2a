# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the connection, as _options.CONNECTION has them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description:
      - The Infisical server. A trailing slash and a trailing C(/api) are forgiven; redirects are not followed.
      - Left out, it is that of O(login_data), else the environment variable E(INFISICAL_URL), E(INFISICAL_DOMAIN) or
        E(INFISICAL_API_URL), which may not name different servers, else V(https://us.infisical.com). A blank one counts
        as not given, but where nothing else is given either, the task fails rather than send the credentials to
        V(https://us.infisical.com).
    type: str
  validate_certs:
    description:
      - Whether the server's certificate is checked. V(false) lets anybody on the network path read the credentials, and
        warns.
      - Left out, E(INFISICAL_VALIDATE_CERTS) is used, else it is checked. A variable that is no boolean is refused.
    type: bool
  ca_path:
    description:
      - A file with the certificates of the authorities to trust, in PEM form, or a folder of such files prepared with
        C(openssl rehash), on the host that runs the task. One that holds no certificate is refused.
      - Left out, E(INFISICAL_CA_PATH) is used, else E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE), else the authorities
        that come with the Python library requests.
    type: path
  client_cert:
    description:
      - A file with the certificate by which this client proves itself to the server or to a proxy before it, in PEM
        form, on the host that runs the task. It may hold the key too.
      - Left out, E(INFISICAL_CLIENT_CERT) is used, else no client certificate is sent.
    type: path
  client_key:
    description:
      - A file with the key of O(client_cert), in PEM form and without a pass phrase, on the host that runs the task.
      - Left out, E(INFISICAL_CLIENT_KEY) is used unless O(client_cert) is given, else the key is looked for in the file
        of O(client_cert).
    type: path
  timeout:
    description:
      - How many seconds one request may take, from connecting to the last byte of the answer, 1 to 86400. Connecting,
        to all addresses of the name and with TLS, takes 15 seconds at most; looking the name up is not counted.
      - Left out, E(INFISICAL_TIMEOUT) is used, else it is 90 seconds. A rotation takes seconds; the server cuts a
        silent one off after 30 seconds.
    type: int
notes:
  - Proxies are those of the environment of the task, as the Python library requests knows them (C(HTTPS_PROXY),
    C(HTTP_PROXY), C(NO_PROXY)). A password in such a variable is never shown.
  - A plain C(http://) URL warns unless it is of this very machine, for credentials and token travel in clear.
requirements:
  - requests (Python library) on the host that runs the task
"""
