"""Made-up secrets of many kinds, in the places where they occur, and harmless text that looks like them.

Put together from parts by a seeded generator, so that no file of the repository holds what a scanner would report.
"""

from __future__ import annotations

import base64
import json
import random
import string

LETTERS = string.ascii_letters + string.digits
LOWER_HEX, UPPER = "0123456789abcdef", string.ascii_uppercase + "234567"


def _any(chance: random.Random, alphabet: str, count: int) -> str:
    return "".join(chance.choice(alphabet) for _ in range(count))


def kinds(seed: int = 11) -> dict[str, str]:
    """One value a kind."""
    c = random.Random(seed)
    a = lambda n: _any(c, LETTERS, n)  # noqa: E731  # three short makers read better than three functions
    h = lambda n: _any(c, LOWER_HEX, n)  # noqa: E731
    u = lambda n: _any(c, UPPER, n)  # noqa: E731
    part = lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")  # noqa: E731
    jwt = f"{part(json.dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{part(json.dumps({'sub': a(8), 'iat': 1}))}.{a(43)}"
    dash = "-" * 5
    return {
        "aws id": "AKI" + "A" + u(16), "aws session id": "ASI" + "A" + u(16), "github classic": "gh" + "p_" + a(36),
        "github app": "gh" + "s_" + a(36), "github fine": "github" + "_pat_" + a(22) + "_" + a(59),
        "gitlab": "gl" + "pat-" + a(20), "gitlab runner": "gl" + "rt-" + a(20), "bitbucket": "ATB" + "B" + a(32),
        "atlassian": "ATA" + "TT3" + a(60), "anthropic": "sk-" + "ant-api03-" + a(80), "openai": "sk-" + "proj-" + a(60),
        "openai old": "sk-" + a(48), "openrouter": "sk-" + "or-v1-" + h(64), "google": "AI" + "za" + a(35),
        "google oauth": "GOC" + "SPX-" + a(28), "google access": "ya" + "29." + a(60), "huggingface": "h" + "f_" + a(34),
        "replicate": "r" + "8_" + a(37), "groq": "gs" + "k_" + a(52), "perplexity": "pp" + "lx-" + a(48),
        "xai": "xa" + "i-" + a(80), "slack bot": "xo" + "xb-" + _any(c, string.digits, 12) + "-" + a(24),
        "slack app": "xa" + "pp-1-" + a(10) + "-" + a(40), "slack hook": "https://hooks." + "slack.com/services/T" + u(8) + "/B" + u(8) + "/" + a(24),
        "discord hook": "https://disc" + "ord.com/api/webhooks/" + _any(c, string.digits, 18) + "/" + a(68),
        "discord bot": "M" + a(23) + ".G" + a(5) + "." + a(38), "telegram": _any(c, "123456789", 10) + ":A" + "A" + a(33),
        "stripe": "sk_" + "live_" + a(24), "stripe restricted": "rk_" + "test_" + a(24), "stripe hook": "whs" + "ec_" + a(32),
        "square": "sq0" + "csp-" + a(43), "paypal": "access_" + "token$production$" + h(16) + "$" + h(32),
        "shopify": "shp" + "at_" + h(32), "sendgrid": "S" + "G." + a(22) + "." + a(43), "mailgun": "ke" + "y-" + h(32),
        "mailchimp": h(32) + "-u" + "s12", "brevo": "xkey" + "sib-" + h(64) + "-" + a(16), "twilio": "S" + "K" + h(32),
        "npm": "np" + "m_" + a(36), "pypi": "py" + "pi-AgEIcHlwaS5vcmc" + a(70), "rubygems": "ruby" + "gems_" + h(48),
        "crates": "ci" + "o" + a(32), "docker": "dck" + "r_pat_" + a(27), "digitalocean": "do" + "p_v1_" + h(64),
        "heroku": "HRK" + "U-" + a(36), "fly": "fm" + "2_" + a(80), "netlify": "nf" + "p_" + a(36), "databricks": "da" + "pi" + h(32),
        "vault": "hv" + "s." + a(90), "terraform": a(14) + ".atlas" + "v1." + a(67), "pulumi": "pu" + "l-" + h(40),
        "doppler": "dp." + "pt." + a(43), "linear": "lin_" + "api_" + a(40), "notion": "nt" + "n_" + a(46),
        "figma": "fig" + "d_" + a(40), "airtable": "pa" + "t" + a(14) + "." + h(64), "newrelic": "NRA" + "K-" + _any(c, string.ascii_uppercase + string.digits, 27),
        "grafana": "gls" + "a_" + a(32) + "_" + h(8), "sentry": "sntr" + "ys_" + a(80), "postman": "PMA" + "K-" + h(24) + "-" + h(34),
        "planetscale": "psc" + "ale_tkn_" + a(43), "supabase": "sb" + "p_" + h(40), "tailscale": "tsk" + "ey-auth-" + a(16) + "-" + a(24),
        "azure storage": "DefaultEndpointsProtocol=https;AccountName=x;Account" + "Key=" + a(86) + "==;EndpointSuffix=core.windows.net",
        "jwt": jwt, "pem": f"{dash}BEGIN RSA PRIVATE KEY{dash}\n{a(64)}\n{a(64)}\n{dash}END RSA PRIVATE KEY{dash}",
        "openssh": f"{dash}BEGIN OPENSSH PRIVATE KEY{dash}\n{a(70)}\n{a(70)}\n{dash}END OPENSSH PRIVATE KEY{dash}",
        "age": "AGE-" + "SECRET-KEY-1" + _any(c, string.ascii_uppercase + string.digits, 58),
        "bearer": "Authorization: Bear" + "er " + a(40), "basic": "Authorization: Bas" + "ic " + base64.b64encode(("u:" + a(12)).encode()).decode(),
        "url": "postgres://app:" + a(14) + "@db.internal:5432/shop", "cookie": "Set-Cookie: session=" + a(40) + "; HttpOnly",
        "netrc": "machine example.com login ann password " + a(12), "curl user": "curl -u ann:" + a(12) + " https://api.internal/x",
        "assigned": "DB_PASSWORD=" + a(9) + "7x", "assigned json": json.dumps({"api_key": a(30) + "1"}),
        "assigned code": 'client_secret = "' + a(30) + '9"', "connection": "Server=x;User Id=y;Password=" + a(12) + "4;",
    }  # fmt: skip


HELD_OUT = 3  # every third kind is not looked at while rules are written


def core(value: str) -> str:
    """The part of a value that must not be left standing."""
    if value.startswith("https://"):
        return value.rsplit("/", 1)[-1]
    words = value.replace('"', " ").replace("=", " ").replace(":", " ").split()
    return max((word for word in words if word != "DB_PASSWORD" and not word.startswith("//")), key=len)


def places(value: str) -> dict[str, str]:
    """The value where secrets turn up: environment, JSON, code, a command line, a log."""
    return {
        "env": f"export THE_VALUE={value}" if "\n" not in value and " " not in value else value,
        "json": json.dumps({"note": value}),
        "code": f"client.connect('{value}')  # remove before release",
        "curl": f'curl -H "X-Thing: {value}" https://api.internal/v1/items' if "curl" not in value else value,
        "log": f"2026-11-22 14:20:57 INFO retry 3 with {value} after 200 ms",
    }


def harmless(seed: int = 12) -> list[str]:
    """Text a coding memory needs and must keep as it is."""
    c = random.Random(seed)
    h = lambda n: _any(c, LOWER_HEX, n)  # noqa: E731
    return [
        f"commit {h(40)}", f"fixed in {h(7)}", f"sha256:{h(64)}", f"{h(8)}-{h(4)}-4{h(3)}-a{h(3)}-{h(12)}",
        f"tool_use_id toolu_01{_any(c, LETTERS, 22)}", f"msg_01{_any(c, LETTERS, 22)}", "password = getpass()",
        "password: str", "token = self.token", "api_key=os.environ['API_KEY']", "secret = settings.SECRET_KEY",
        "password=<your-password>", "API_KEY=your_api_key_here", "token: ${{ secrets.GITHUB_TOKEN }}", "PASSWORD=changeme",
        "max_tokens: 4096", "token_count = 1234567", "the password reset form", "next_token(stream)", "secret_santa.py",
        "tokenizer='porter unicode61'", "def hash_password(password: str) -> str:", "if password is None:",
        "https://example.com/path?id=123&sort=asc", "http://localhost:8080/a@b", "git@github.com:ann/shop.git",
        "https://user@example.com/repo.git", "src/auth/token.ts:42", "/usr/lib/python3/secrets.py", "import secrets",
        "integrity=\"sha512-" + base64.b64encode(c.randbytes(64)).decode() + '"',
        "data:image/png;base64," + base64.b64encode(c.randbytes(120)).decode(), f'"resolved": "https://registry.example/x-{h(10)}.tgz"',
        "npm_config_registry", "sk-learn pipeline", "hf_hub_download(repo)", "key-value store", "basic auth is off",
        "Bearer authentication is required", "cookie: none", "the session cookie expires", "a.b.c.d.e", "v1.2.3-rc.4",
        f"etag \"{h(32)}\"", f"{h(32)}  file.iso", "x = 'A' * 40", "passwd -l root", "machine learning login flow",
        "AKIAEXAMPLE", "process.env.DATABASE_URL", "postgres://user:${DB_PASSWORD}@db/shop", "token=null", "secret: false",
    ]  # fmt: skip
