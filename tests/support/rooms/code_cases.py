"""Room codes as people type them: one table for the API's tests and the page's."""

SAME_CODE = [
    "BCD234",
    "bcd234",
    "BCD-234",
    " bcd 234 ",
    "ＢＣＤ２３４",
    "ｂｃｄ－２３４",
    "ｂｃｄー２３４",
    "BCD\u3000234",
    "BCD\u2013234",
    "%EF%BC%A2CD234",
    "bcd%20234",
    "\ufeffBCD234\u200b",
    "\u2066BCD\u00ad234\u2069",
    "BCD〜234",
]
"""All of them are BCD234."""

NO_CODE = ["", "BCD23", "BCD2345", "BCD23O", "BCD23A", "BCD231", "ルーム", "%"]
