"""What secrets look like: a table of kinds, the words that must occur before a kind is looked for, and the pattern.

Written from public descriptions of token formats. The secret is group 1 where a pattern has one, else the whole match.
A pattern is compiled only once one of its words has been seen in lower-cased text, so that ordinary text costs little.
"""

from __future__ import annotations

# kind, words (lower case, any of them), pattern
RULES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("private-key", ("-----begin",), r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]{16,}?(?:-----END[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"),
    ("putty-key", ("private-lines:",), r"Private-Lines: \d+\s+([A-Za-z0-9+/=\s]{40,})"),
    ("age-key", ("age-secret-key-",), r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    ("aws-key", ("akia", "asia", "abia", "acca"), r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    ("aws-secret", ("aws",), r"(?i)aws[\w.\- ]{0,30}?(?:secret|session)[\w.\- ]{0,30}?\\?[\"']?\s*(?:=|:|=>)\s*\\?[\"']?([A-Za-z0-9/+]{40,}={0,2})"),
    ("github", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"\bgh[pousr]_[A-Za-z0-9]{30,255}"),
    ("github", ("github_pat_",), r"\bgithub_pat_[A-Za-z0-9_]{22,255}"),
    ("gitlab", ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-", "glffct-", "glimt-", "glagent-", "gloas-"), r"\bgl(?:pat|dt|rt|cbt|ptt|soat|ffct|imt|agent|oas)-[A-Za-z0-9_\-.]{20,}"),
    ("bitbucket", ("atbb", "atatt3", "atctt3"), r"\bAT(?:BB|ATT3|CTT3)[A-Za-z0-9_\-=]{20,}"),
    ("anthropic", ("sk-ant-",), r"\bsk-ant-[A-Za-z0-9_\-]{20,}"),
    ("openai", ("sk-",), r"\bsk-(?!ant-)(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_\-]{0,80}?[A-Za-z0-9]{20,}"),
    ("google-api", ("aiza",), r"\bAIza[0-9A-Za-z_\-]{35}"),
    ("google-oauth", ("gocspx-", "ya29."), r"\b(?:GOCSPX-[A-Za-z0-9_\-]{20,}|ya29\.[A-Za-z0-9_\-]{20,})"),
    ("huggingface", ("hf_", "api_org_"), r"\b(?:hf_|api_org_)[A-Za-z0-9]{30,}"),
    ("replicate", ("r8_",), r"\br8_[A-Za-z0-9]{30,}"),
    ("groq", ("gsk_",), r"\bgsk_[A-Za-z0-9]{40,}"),
    ("perplexity", ("pplx-",), r"\bpplx-[A-Za-z0-9]{40,}"),
    ("xai", ("xai-",), r"\bxai-[A-Za-z0-9]{40,}"),
    ("slack", ("xoxa", "xoxb", "xoxe", "xoxo", "xoxp", "xoxr", "xoxs", "xoxc", "xoxd", "xapp-"), r"\b(?:xox[abceoprsd](?:\.xox[bp])?|xapp)-[A-Za-z0-9\-%]{10,}"),
    ("slack-webhook", ("hooks.slack.com",), r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_\-]{20,})"),
    ("discord", ("discord",), r"discord(?:app)?\.com/api/webhooks/(\d{10,}/[A-Za-z0-9_\-]{30,})"),
    ("discord-bot", (".g", ".x", ".y"), r"\b[MNO][A-Za-z0-9_\-]{23,27}\.[GXY][A-Za-z0-9_\-]{5}\.[A-Za-z0-9_\-]{27,40}\b"),
    ("telegram", (":aa",), r"\b\d{8,10}:AA[A-Za-z0-9_\-]{33}"),
    ("teams-webhook", ("webhook.office.com",), r"webhook\.office\.com/(webhookb2/[A-Za-z0-9@/_\-]{40,})"),
    ("stripe", ("sk_live", "sk_test", "rk_live", "rk_test", "whsec_"), r"\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{24,})"),
    ("square", ("sq0", "eaaa"), r"\b(?:sq0[a-z]{3}-[A-Za-z0-9_\-]{22,}|EAAA[A-Za-z0-9_\-]{60,})"),
    ("paypal", ("access_token$",), r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}"),
    ("shopify", ("shpat_", "shpca_", "shppa_", "shpss_"), r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("sendgrid", ("sg.",), r"\bSG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{30,64}"),
    ("mailgun", ("key-",), r"\bkey-[0-9a-f]{32}\b"),
    ("mailchimp", ("-us",), r"\b[0-9a-f]{32}-us\d{1,2}\b"),
    ("brevo", ("xkeysib-", "xsmtpsib-"), r"\bx(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    ("twilio", ("sk",), r"\bSK[0-9a-f]{32}\b"),
    ("npm", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}"),
    ("pypi", ("pypi-",), r"\bpypi-[A-Za-z0-9_\-]{50,}"),
    ("rubygems", ("rubygems_",), r"\brubygems_[a-f0-9]{40,}"),
    ("crates", ("cio",), r"\bcio[A-Za-z0-9]{32}\b"),
    ("docker", ("dckr_pat_", "dckr_oat_"), r"\bdckr_[po]at_[A-Za-z0-9_\-]{20,}"),
    ("clojars", ("clojars_",), r"\bCLOJARS_[a-z0-9]{60}"),
    ("nuget", ("oy2",), r"\boy2[a-z0-9]{43}\b"),
    ("artifactory", ("akcp", "cmvmd"), r"\b(?:AKCp[A-Za-z0-9]{60,}|cmVmd[A-Za-z0-9]{55,})"),
    ("digitalocean", ("dop_v1_", "doo_v1_", "dor_v1_"), r"\bdo[opr]_v1_[a-f0-9]{64}"),
    ("heroku", ("hrku-",), r"\bHRKU-[A-Za-z0-9_\-]{30,}"),
    ("fly", ("fm1_", "fm2_", "fo1_"), r"\bf(?:m[12]|o1)_[A-Za-z0-9+/=_\-]{40,}"),
    ("netlify", ("nfp_",), r"\bnfp_[A-Za-z0-9]{36,}"),
    ("vercel", ("vcp_", "vci_", "vca_", "vcr_", "vck_"), r"\bvc[piarck]_[A-Za-z0-9]{24,}"),
    ("databricks", ("dapi",), r"\bdapi[a-f0-9]{32}(?:-\d)?\b"),
    ("vault", ("hvs.", "hvb.", "hvr."), r"\bhv[sbr]\.[A-Za-z0-9_\-]{24,}"),
    ("terraform", (".atlasv1.",), r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9\-_=]{60,}"),
    ("pulumi", ("pul-",), r"\bpul-[a-f0-9]{40}"),
    ("doppler", ("dp.pt.", "dp.st.", "dp.ct.", "dp.sa."), r"\bdp\.(?:pt|st|ct|sa)\.[A-Za-z0-9.]{40,}"),
    ("1password", ("ops_ey",), r"\bops_eyJ[A-Za-z0-9+/=_\-]{100,}"),
    ("linear", ("lin_api_", "lin_oauth_"), r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    ("notion", ("ntn_", "secret_"), r"\b(?:ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43})\b"),
    ("figma", ("figd_", "figo_"), r"\bfig[do]_[A-Za-z0-9_\-]{30,}"),
    ("airtable", ("pat",), r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    ("newrelic", ("nrak-", "nrjs-", "nral"), r"\bNR(?:AK-[A-Z0-9]{27}|JS-[a-f0-9]{19}|AL[A-Za-z0-9]{30,})"),
    ("grafana", ("glc_", "glsa_"), r"\bgl(?:c|sa)_[A-Za-z0-9+/_]{30,}={0,2}"),
    ("sentry", ("sntrys_", "sntryu_"), r"\bsntry[su]_[A-Za-z0-9+/=_]{40,}"),
    ("postman", ("pmak-",), r"\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("planetscale", ("pscale_",), r"\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_\-.=]{30,}"),
    ("supabase", ("sbp_", "sb_secret_"), r"\bsb(?:p|_secret)_[A-Za-z0-9_]{30,}"),
    ("cloudflare", ("v1.0-",), r"\bv1\.0-[a-f0-9]{24}-[a-f0-9]{100,}"),
    ("dropbox", ("sl.",), r"\bsl\.(?:u\.)?[A-Za-z0-9_\-]{100,}"),
    ("typeform", ("tfp_",), r"\btfp_[A-Za-z0-9_\-.]{40,}"),
    ("contentful", ("cfpat-",), r"\bCFPAT-[A-Za-z0-9_\-]{40,}"),
    ("dynatrace", ("dt0c01.", "dt0s"), r"\bdt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("tailscale", ("tskey-",), r"\btskey-[a-z]+-[A-Za-z0-9]{8,}(?:-[A-Za-z0-9]{16,})?"),
    ("facebook", ("eaa",), r"\bEAA[A-Za-z0-9]{80,}"),
    ("azure-storage", ("accountkey=", "sharedaccesskey="), r"(?i)(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,}={0,2})"),
    ("azure-sas", ("sig=",), r"[?&;]sig=([A-Za-z0-9%+/]{40,}(?:={0,2}|%3D))"),
    ("azure-ad", ("8q~", "7q~"), r"\b[A-Za-z0-9_~.\-]{3}[78]Q~[A-Za-z0-9_~.\-]{31,34}"),
    ("jwt", ("eyj",), r"\beyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{10,}"),
    ("authorization", ("bearer ", "basic ", "token "), r"(?i)(?:authorization|x-api-key|proxy-authorization)\\?[\"']?\s*[:=]\s*\\?[\"']?(?:bearer|basic|token|digest)\s+([A-Za-z0-9_\-.~+/=]{8,})"),
    ("authorization", ("bearer ",), r"(?i)\bbearer\s+((?=[A-Za-z0-9_\-.~+/]*\d)[A-Za-z0-9_\-.~+/]{20,}={0,2})"),
    ("url-password", ("://",), r"\b[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s:/?#@\"'<>\[\]{}$]{0,80}:([^\s/@\"'<>${}\[\]]{3,200})@[A-Za-z0-9.\-\[]"),
    ("netrc", ("machine ",), r"(?i)\bmachine\s+\S+\s+login\s+\S+\s+password\s+(\S{3,})"),
    ("cookie", ("cookie:",), r"(?i)\b(?:set-)?cookie:\s*([^\r\n\"']{0,40}?=[A-Za-z0-9%_\-.+/=|]{12,}[^\r\n\"']{0,2000})"),
    ("curl-user", ("curl ",), r"\bcurl\b[^\r\n]{0,400}?\s(?:-u|--user)[ =]\\?[\"']?[^\s:\"'$]{1,80}:([^\s\"'$]{3,})"),
    ("connection", ("password=", "pwd="), r"(?i);\s*(?:password|pwd)=([^;\s\"'${}]{4,})"),
    ("openvpn-key", ("-----begin openvpn",), r"-----BEGIN OpenVPN Static key V1-----[\s\S]{16,}?(?:-----END OpenVPN Static key V1-----|\Z)"),
    ("wireguard-key", ("privatekey", "presharedkey"), r"\b(?:PrivateKey|PresharedKey)\s*=\s*([A-Za-z0-9+/]{42,43}=)"),
    ("kube-key", ("client-key-data",), r"client-key-data\\?[\"']?:\s*\\?[\"']?([A-Za-z0-9+/]{40,}={0,2})"),
    ("stored-auth", ("\"auth", "_auth="), r"(?:\"auth\\?\"\s*:\s*\\?\"|\b_auth=)([A-Za-z0-9+/]{12,}={0,2})"),
    ("password-hash", ("$1$", "$5$", "$6$", "$y$", "$2a$", "$2b$", "$2y$", "$apr1$", "$argon2"), r"\$(?:[156y]|2[aby]|apr1|argon2(?:id|i|d))\$[./A-Za-z0-9$=,+]{22,}"),
    ("command", ("sshpass", "mysql", "mariadb", "redis-cli", " login "),
     r"\b(?:sshpass\s+-p\s?|(?:mysql|mariadb)[a-z\-]{0,12}\b[^\r\n|;&]{0,200}?\s-p|redis-cli\b[^\r\n|;&]{0,200}?\s-a\s+|(?:docker|podman|nerdctl|helm registry|buildah|oras)\s+login\b[^\r\n|;&]{0,200}?\s-p\s+)[\"']?([^\s\"'$`<>|]{4,200})"),
    ("option", ("-pass", "-secret", "-token", "-key ", "-key=", "-pwd"),
     r"(?i)(?<![\w\-])--?(?:[a-z0-9]{1,20}-){0,4}(?:password|passwd|passphrase|pass|pwd|secret|token|api-?key|access-key|private-key|secret-key)(?:\s{1,4}|=)\\?[\"']?([^\s\"'`,;<>(){}\[\]\\]{8,2000})"),
    ("short-name", ("_pass", "_pw", "_pat", "_psk"),
     r"(?i)(?<![\w$])[a-z][\w.\-]{0,40}_(?:pass|pw|pat|psk)\\?[\"']?\s{0,2}(?:=|:)\s{0,2}\\?[\"']?([^\s\"'`,;<>(){}\[\]\\]{8,2000})"),
    ("short-name", ("_key",), r"(?<![\w$])[A-Z][A-Z0-9_]{1,40}_KEY\\?[\"']?\s?(?:=|:)\s?\\?[\"']?([A-Za-z0-9+/_\-:]{20,2000}={0,2})"),
    ("assignment", ("passw", "pwd", "secret", "token", "api_key", "apikey", "api-key", "access_key", "access-key", "accesskey", "private_key", "auth_key", "credential", "passphrase", "signing_key", "encryption_key", "master_key"),
     r"(?i)\b[\w.\-]{0,40}?(?:password|passwd|passphrase|pwd|secret|token|api[_\-]?key|access[_\-]?key|private[_\-]?key|auth[_\-]?key|signing[_\-]?key|encryption[_\-]?key|master[_\-]?key|credential)s?[\w\-]{0,20}\\?[\"'`]?\]?\s{0,4}(?:=>|:=|=|:)\s{0,4}(?:[rbuf]?\\?[\"'`])?([^\s\"'`,;<>(){}\[\]\\]{8,2000})"),
)  # fmt: skip
# Kinds whose words stand in ordinary text as well. What they must hold beside: one of these characters, or so many characters
# on end without a space. Compiling an expression in vain costs a hook more than anything else it does.
BESIDE = {"assignment": "=:", "short-name": "=:", "url-password": "@"}
UNBROKEN = {"twilio": 34, "crates": 35, "nuget": 46, "discord-bot": 59, "airtable": 82, "facebook": 83}
# member names whose text value is a secret whatever it looks like
TELLING = frozenset(
    "password passwd passphrase pwd secret api_key apikey api-key token access_token refresh_token auth_token id_token"
    " client_secret private_key secret_key access_key secret_access_key aws_secret_access_key authorization cookie"
    " set-cookie x-api-key session_token bearer credentials encryption_key signing_key master_key".split()
)
# what stands in examples, code and templates where a secret would stand
HOLLOW = (
    "example", "your", "xxxx", "****", "....", "<", "${", "{{", "process.env", "os.environ", "getenv", "getpass",
    "placeholder", "changeme", "redacted", "dummy", "insert", "replace", "undefined", "null", "none", "false", "true",
    "env.", "config.", "settings.", "self.", "this.", "args.", "request.", "options.", "secrets.", "vars.", "$(", "@@",
)  # fmt: skip
