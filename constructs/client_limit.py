"""The limit of what one client may send to a CloudFront distribution."""

import json
from typing import Final

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

WINDOW_S: Final = 60
"""The shortest window that AWS WAF counts in, in seconds: the soonest way back for a client.

https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html
"""

RETRY_AFTER_S: Final = 30
"""After this many seconds WAF has mostly noticed that a client waits: its caveats, below."""

REFUSED_STATUS: Final = 429
REFUSED: Final = {
    "error": {
        "code": "THROTTLED",
        "message": "アクセスが集中しています。少し待ってからもう一度お試しください",
    }
}
"""What a client above its limit is answered, as the API itself words errors.

The page knows this code as one that passes: it waits, tries again, and takes no seat away.
"""

_BODY: Final = "throttled"


class ClientLimit(Construct):
    """A web ACL that lets everything through but clients above their limit, each address its own.

    It must be in us-east-1, as all that WAF has for CloudFront. WAF does not count exactly: it
    takes up to some half a minute to refuse a client, and to let it in again.
    https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-caveats.html

    Args:
        name: the web ACL's name, which is its metric's, too.
        requests_per_client: the requests of one address within ``WINDOW_S``.

    """

    RULE: Final = "requests-per-client"

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, requests_per_client: int
    ) -> None:
        super().__init__(scope, construct_id)
        self.acl = waf.CfnWebACL(
            self,
            "Acl",
            name=name,
            description="The requests that one client may send to the page and its API",
            scope="CLOUDFRONT",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            custom_response_bodies={
                _BODY: waf.CfnWebACL.CustomResponseBodyProperty(
                    content_type="APPLICATION_JSON", content=json.dumps(REFUSED)
                )
            },
            rules=[
                waf.CfnWebACL.RuleProperty(
                    name=self.RULE,
                    priority=0,
                    statement=waf.CfnWebACL.StatementProperty(
                        rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                            # The address that the connection has: a header could name any.
                            aggregate_key_type="IP",
                            evaluation_window_sec=WINDOW_S,
                            limit=requests_per_client,
                        )
                    ),
                    action=waf.CfnWebACL.RuleActionProperty(
                        block=waf.CfnWebACL.BlockActionProperty(
                            custom_response=waf.CfnWebACL.CustomResponseProperty(
                                response_code=REFUSED_STATUS,
                                custom_response_body_key=_BODY,
                                response_headers=[
                                    waf.CfnWebACL.CustomHTTPHeaderProperty(
                                        name="Retry-After", value=str(RETRY_AFTER_S)
                                    ),
                                    waf.CfnWebACL.CustomHTTPHeaderProperty(
                                        name="Cache-Control", value="no-store"
                                    ),
                                ],
                            )
                        )
                    ),
                    visibility_config=_visible(self.RULE),
                )
            ],
            visibility_config=_visible(name),
        )


def _visible(metric: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
    )
