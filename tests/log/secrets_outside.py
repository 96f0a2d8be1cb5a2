"""Made-up secrets of kinds that no rule was written for, each in the places where that kind really turns up.

Kept apart from the rules: they are measured against it (`benchmarks/secrets.py`), never tuned to it. Put together at run
time from parts, so that no file of the repository holds what a scanner would report.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

ALNUM, HEX, DIGITS, UPPER = (
    string.ascii_letters + string.digits,
    "0123456789abcdef",
    string.digits,
    string.ascii_uppercase,
)
LOWER = string.ascii_lowercase + DIGITS
Maker = Callable[..., str]
Shape = tuple[str, str, tuple[str, ...]]  # kind, the secret, the texts it stands in (at `{}`)


def shapes(seed: int = 21) -> list[Shape]:
    """Every kind with its secret and its places."""
    c = random.Random(seed)

    def a(count: int, alphabet: str = ALNUM) -> str:
        return "".join(c.choice(alphabet) for _ in range(count))

    def h(count: int) -> str:
        return a(count, HEX)

    def uuid() -> str:
        return "-".join((h(8), h(4), "4" + h(3), "b" + h(3), h(12)))

    def b64(count: int) -> str:
        return base64.b64encode(c.randbytes(count)).decode()

    dash = "-" * 5
    return [*_tokens(a, h, uuid), *_unnamed(a, h, uuid, b64), *_typed(a, h, b64), *_files(a, h, b64, dash)]


def _tokens(a: Maker, h: Maker, uuid: Maker) -> list[Shape]:
    """Tokens with a sign of their maker."""
    return [
        ("langsmith", "lsv" + f"2_pt_{h(32)}_{h(10)}", ("LANGSMITH_API_KEY={}", "client = Client(api_key='{}')")),
        ("pinecone", "pc" + f"sk_{a(6)}_{a(63)}", ("Pinecone(api_key=\"{}\")", "found key {} in .env")),
        ("elevenlabs", "s" + f"k_{h(48)}", ("xi-api-key: {}", "ELEVENLABS_API_KEY={}")),
        ("sonarqube", "sq" + f"u_{h(40)}", ("sonar-scanner -Dsonar.login={}", "SONAR_TOKEN={}")),
        ("circleci", "CCI" + f"PAT_{a(22)}_{h(40)}", ("Circle-Token: {}", "circleci setup --token {}")),
        ("buildkite", "bk" + f"ua_{h(40)}", ("Authorization: Bearer {}", "bk configure --token {}")),
        ("honeycomb", "hca" + f"ik_01{a(56, LOWER)}", ("x-honeycomb-team: {}", "HONEYCOMB_API_KEY={}")),
        ("razorpay", a(24), ("rzp.Client('rzp_" + "live_" + a(14) + "', '{}')", "RAZORPAY_KEY_SECRET={}")),
        ("plaid", f"access-production-{uuid()}", ("PLAID_ACCESS_TOKEN={}", "{{\"access_token\": \"{}\"}}")),
        ("asana", f"1/{a(16, DIGITS)}:{h(32)}", ("ASANA_PAT={}", "curl -H 'Authorization: Bearer {}' https://app.asana.com/api/1.0/users/me")),
        ("okta", "00" + a(40), ("Authorization: SSWS {}", "OKTA_API_TOKEN={}")),
        ("mapbox", f"sk.eyJ1{a(70)}.{a(22)}", ("https://api.mapbox.com/tokens/v2?access_token={}", "MAPBOX_TOKEN={}")),
        ("firebase server", f"AAAA{a(7)}:APA91b{a(134)}", ("Authorization: key={}", "FCM_SERVER_KEY={}")),
        ("nats seed", "SU" + a(56, UPPER + "234567"), ("nats --nkey {}", "NATS_NKEY={}")),
        ("akamai", f"akab-{a(16, LOWER)}-{a(16, LOWER)}", ("client_token = {}", "EDGEGRID_CLIENT_TOKEN={}")),
        ("twitch", a(30, LOWER), ("PASS oauth:{}", "TWITCH_OAUTH_TOKEN=oauth:{}")),
        ("adyen", "AQE" + a(60), ("X-API-Key: {}", "ADYEN_API_KEY={}")),
        ("jenkins", "11" + h(32), ("curl -u admin:{} https://ci.internal/job/x/build", "java -jar cli.jar -auth admin:{} list-jobs")),
        ("rails credentials", h(32), ("RAILS_MASTER_KEY={}", "echo {} > config/master.key")),
    ]  # fmt: skip


def _unnamed(a: Maker, h: Maker, uuid: Maker, b64: Maker) -> list[Shape]:
    """Values that only their place gives away."""
    return [
        ("datadog", h(32), ("DD_API_KEY={}", "dd-api-key: {}")), ("datadog app", h(40), ("DD_APPLICATION_KEY={}", "DD_APP_KEY={}")),
        ("algolia", h(32), ("algoliasearch('LATENCY', '{}')", "ALGOLIA_ADMIN_KEY={}")),
        ("cohere", a(40), ("CO_API_KEY={}", "cohere.Client('{}')")), ("mistral", a(32), ("MISTRAL_API_KEY={}", "x-api-key: {}")),
        ("deepgram", h(40), ("Authorization: Token {}", "DEEPGRAM_API_KEY={}")),
        ("wandb", h(40), ("wandb login {}", "machine api.wandb.ai\n  login user\n  password {}")),
        ("snyk", uuid(), ("SNYK_TOKEN={}", "snyk auth {}")), ("codecov", uuid(), ("CODECOV_TOKEN={}", "codecov -t {}")),
        ("heroku uuid", uuid(), ("HEROKU_API_KEY={}", "machine api.heroku.com login a@b.de password {}")),
        ("hetzner", a(64), ("HCLOUD_TOKEN={}", "hcloud context create x <<< {}")),
        ("cloudflare token", a(40), ("CLOUDFLARE_API_TOKEN={}", "Authorization: Bearer {}")),
        ("azure devops", a(52, LOWER), ("AZURE_DEVOPS_EXT_PAT={}", "https://{}@dev.azure.com/acme/_git/shop")),
        ("azure openai", h(32), ("AZURE_OPENAI_KEY={}", "api-key: {}")), ("spotify", h(32), ("SPOTIPY_CLIENT_SECRET={}", "\"clientSecret\": \"{}\"")),
        ("twitter", a(45), ("ACCESS_TOKEN_SECRET={}", "tweepy.OAuth1UserHandler(k, s, t, '{}')")),
        ("infura", h(32), ("https://mainnet.infura.io/v3/{}", "INFURA_PROJECT_SECRET={}")),
        ("ethereum", "0x" + h(64), ("PRIVATE_KEY={}", "cast wallet import me --private-key {}")),
        ("gitea", h(40), ("https://ann:{}@git.internal/ann/shop.git", "GITEA_TOKEN={}")),
        ("laravel", "base64:" + b64(32), ("APP_KEY={}", "'key' => '{}',")), ("webhook signing", a(32), ("WEBHOOK_SECRET={}", "--signing-secret {}")),
        ("session signing", h(64), ("SESSION_SECRET={}", "secret_key_base: {}")), ("pepper", a(24), ("PASSWORD_PEPPER={}", "salt = '{}'")),
    ]  # fmt: skip


def _typed(a: Maker, h: Maker, b64: Maker) -> list[Shape]:
    """Passwords as people type them, in commands and settings."""
    typed = ("Tr0ub4dor", "c0rrect-h0rse", "W1nter2031", "s3cr3tSauce", "Gr8Passw0rd")
    one, two, three, four, five = (
        f"{word}{tail}" for word, tail in zip(typed, (a(2), a(3), "!" + a(2), a(4), "#" + a(1)))
    )
    return [
        ("mysql option", one, ("mysql -u root -p{} shop", "mysqldump --password={} shop")),
        ("sshpass", two, ("sshpass -p '{}' ssh deploy@host", "SSHPASS={} sshpass -e ssh deploy@host")),
        ("postgres", three, ("PGPASSWORD='{}' psql -h db shop", "psql 'host=db user=app password={}'")),
        ("redis", four, ("redis-cli -a {} ping", "requirepass {}")), ("redis url", five, ("redis://:{}@cache:6379/0", "REDIS_PASSWORD={}")),
        ("mongo", one + "x", ("mongodb+srv://app:{}@c0.example.net/shop", "mongosh -u app -p {}")),
        ("jdbc", two + "x", ("jdbc:postgresql://db/shop?user=app&password={}", "spring.datasource.password={}")),
        ("smtp", three + "x", ("smtp_pass: {}", "EMAIL_HOST_PASSWORD = '{}'")), ("short env", four + "x", ("DB_PASS={}", "export ADMIN_PW={}")),
        ("login", five + "x", ("docker login -u ann -p {}", "docker login --username ann --password {}")),
        ("told in words", one + "y", ("my password is {}", "user: admin, pass: {}")),
        ("kubectl", two + "y", ("kubectl create secret generic db --from-literal=password={}", "helm upgrade x . --set auth.password={}")),
        ("basic header", base64.b64encode(f"ann:{three}y".encode()).decode(), ("Authorization: Basic {}", "\"auth\": \"{}\"")),
    ]  # fmt: skip


def _files(a: Maker, h: Maker, b64: Maker, dash: str) -> list[Shape]:
    """What lies in files that people print."""
    key = b64(300)
    return [
        ("kubeconfig", base64.b64encode(f"{dash}BEGIN RSA PRIVATE KEY{dash}\n{a(200)}".encode()).decode(), ("client-key-data: {}", "    client-key-data: {}\n")),
        ("docker config", base64.b64encode(f"ann:{a(20)}".encode()).decode(), ('{{"auths": {{"r.internal": {{"auth": "{}"}}}}}}', '"auth": "{}"')),
        ("wireguard", b64(32), ("[Interface]\nPrivateKey = {}\nAddress = 10.0.0.2/32", "PresharedKey = {}")),
        ("openvpn", h(256), (f"{dash}BEGIN OpenVPN Static key V1{dash}\n{{}}\n{dash}END OpenVPN Static key V1{dash}", "<tls-auth>\n{}\n</tls-auth>")),
        ("shadow", f"$6${a(16)}${a(86)}", ("ann:{}:19000:0:99999:7:::", "usermod -p '{}' ann")),
        ("htpasswd", f"$apr1${a(8)}${a(22)}", ("ann:{}", "htpasswd line ann:{}")), ("bcrypt", f"$2b$12${a(53)}", ("password_hash = {}", "ann:{}")),
        ("pem without end", key, (f"{dash}BEGIN EC PRIVATE KEY{dash}\n{{}}", f"cat key.pem\n{dash}BEGIN PRIVATE KEY{dash}\n{{}}")),
        ("json key", key[:200], (f'{{{{"private_key": "{dash}BEGIN PRIVATE KEY{dash}\\n{{}}\\n{dash}END PRIVATE KEY{dash}\\n"}}}}', "ssh-keygen wrote\n" + f"{dash}BEGIN OPENSSH PRIVATE KEY{dash}\n{{}}\n{dash}END OPENSSH PRIVATE KEY{dash}")),
        ("gradle", a(20), ("signing.password={}", "storePassword {}")), ("npmrc", a(36), ("//registry.internal/:_authToken={}", "_auth={}")),
        ("pgpass", a(14), ("db.internal:5432:shop:app:{}", "machine db.internal login app password {}")),
        ("cookie jar", a(48), ("Cookie: sid={}", "host\tTRUE\t/\tTRUE\t0\tsession_token\t{}")),
    ]  # fmt: skip


def texts(seed: int = 21) -> list[tuple[str, str, str]]:
    """(kind, secret, text that holds it): every kind in each of its places."""
    return [(kind, secret, place.format(secret)) for kind, secret, places in shapes(seed) for place in places]
