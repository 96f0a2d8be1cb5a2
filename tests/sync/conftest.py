"""What the tests of exchanging share: the rig of Cloudflare."""

from tests.sync.cloud import cloud, cloud_remote, proxy, rig, stage

__all__ = ["cloud", "cloud_remote", "proxy", "rig", "stage"]
