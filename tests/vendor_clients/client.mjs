// SPDX-FileCopyrightText: secretops.infisical contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Calls the vendor's client as each line of standard input says, and answers in a line: what it returned, or its error.

import { createInterface } from "node:readline";

import { InfisicalSDK } from "@infisical/sdk";

const client = new InfisicalSDK({ siteUrl: process.argv[2] });

const calls = {
  login: (options) => client.auth().universalAuth.login(options),
  list: (options) => client.secrets().listSecrets(options),
  get: (options) => client.secrets().getSecret(options),
  create: ({ secretName, ...options }) => client.secrets().createSecret(secretName, options),
  update: ({ secretName, ...options }) => client.secrets().updateSecret(secretName, options),
  delete: ({ secretName, ...options }) => client.secrets().deleteSecret(secretName, options),
  createFolder: (options) => client.folders().create(options),
  listFolders: (options) => client.folders().listFolders(options),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, options] = JSON.parse(line);
  let answer;
  try {
    const returned = await calls[name](options);
    answer = { returned: name === "login" ? null : returned };
  } catch (error) {
    answer = { error: error.message };
  }
  console.log(JSON.stringify(answer));
}
