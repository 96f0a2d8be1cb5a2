// Cloudflare's REST paths over a real D1 (workerd), as far as our client and the official SDK call them. Tests only.

const answer = (result) => Response.json({ result, success: true, errors: [], messages: [] });
const refuse = (status, code, message) =>
  Response.json({ result: null, success: false, errors: [{ code, message }], messages: [] }, { status });

// workerd gives rows as objects; /raw answers with columns and rows
function shaped(result, raw) {
  const rows = result.results ?? [];
  const results = raw ? { columns: Object.keys(rows[0] ?? {}), rows: rows.map((row) => Object.values(row)) } : rows;
  return { results, success: true, meta: { ...result.meta, served_by_primary: true } };
}

async function database(request, env, id, verb) {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return refuse(400, 7400, "Invalid property: databaseId => Invalid uuid");
  const bound = env[env.DATABASES[id]];
  if (!bound) return refuse(404, 7404, `The database ${id} could not be found`);
  if (request.method !== "POST" || !["query", "raw"].includes(verb)) return refuse(405, 7405, "Method not allowed");
  let asked;
  try {
    asked = await request.json();
  } catch {
    return refuse(400, 7400, "Could not parse JSON body");
  }
  const statements = (asked.batch ?? [asked]).map(({ sql, params }) => {
    const prepared = bound.prepare(sql);
    return params?.length ? prepared.bind(...params) : prepared;
  });
  try {
    return answer((await bound.batch(statements)).map((each) => shaped(each, verb === "raw")));
  } catch (error) {
    return refuse(400, 7500, String(error.message ?? error).replace(/^D1_ERROR: /, ""));
  }
}

export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname.split("/").slice(1);
    if (path.splice(0, 2).join("/") !== "client/v4") return refuse(404, 7000, "No route for that URI");
    const said = request.headers.get("authorization");
    if (!said) return refuse(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
    if (said !== `Bearer ${env.TOKEN}`) return refuse(403, 10000, "Authentication error");
    const ours = path[0] === "accounts" && path[1] === env.ACCOUNT;
    if (path.slice(ours ? 2 : 1).join("/") === "tokens/verify" && (ours || path[0] === "user")) {
      // a token belongs to a user or to the account: the other address does not know it
      return ours === env.OF_ACCOUNT ? answer({ id: env.TOKEN_ID, status: "active" }) : refuse(401, 1000, "Invalid API Token");
    }
    if (path[0] !== "accounts") return refuse(404, 7000, "No route for that URI");
    if (!ours) return refuse(403, 10000, "Authentication error");
    if (path[2] === "d1" && path[3] === "database" && path[4]) return database(request, env, path[4], path[5]);
    return refuse(404, 7000, "No route for that URI");
  },
};
