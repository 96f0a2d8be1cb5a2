// A real D1 and a real R2 on loopback, in memory: node rig.mjs PACKAGES OPTIONS
// PACKAGES: the folder that holds node_modules. OPTIONS: JSON {account, token, token_id, databases, bucket, of_account}.
// Prints one JSON line once it answers; stops when stdin closes, so that it never outlives the tests.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { Miniflare } = createRequire(resolve(process.argv[2], "package.json"))("miniflare");
const options = JSON.parse(process.argv[3]);
const names = Object.fromEntries(options.databases.map((id, n) => [id, `D1_${n}`]));
// R2 takes the token's id and the hash of the token as the two keys of its S3 endpoint
const s3Credentials = {
  accessKeyId: options.token_id,
  secretAccessKey: createHash("sha256").update(options.token).digest("hex"),
};
const rig = new Miniflare({
  host: "127.0.0.1",
  port: 0,
  modules: true,
  compatibilityDate: "2026-07-01",
  script: readFileSync(new URL("worker.js", import.meta.url), "utf8"),
  bindings: {
    ACCOUNT: options.account, TOKEN: options.token, TOKEN_ID: options.token_id, OF_ACCOUNT: options.of_account, DATABASES: names,
  },
  d1Databases: Object.fromEntries(Object.entries(names).map(([id, name]) => [name, id])),
  r2Buckets: { R2: { id: options.bucket, s3Credentials } },
});
const { origin } = await rig.ready;
console.log(JSON.stringify({ base_url: `${origin}/client/v4`, s3_endpoint: `${origin}/cdn-cgi/local/r2/s3` }));
const stop = async () => {
  await rig.dispose();
  process.exit(0);
};
process.stdin.on("end", stop).resume();
process.on("SIGTERM", stop);
