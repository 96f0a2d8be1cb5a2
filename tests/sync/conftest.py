"""What the tests of exchanging share: the rig of Cloudflare."""

from tests.sync.cloud import cloud, proxy, rig, rig_of_account, stage

__all__ = ["cloud", "proxy", "rig", "rig_of_account", "stage"]
