"""Scripts that ledgers were migrated with never change: a changed script would leave two kinds of one version."""

import hashlib

from wort_cli.ledger.migrations import scripts

SUMS = (
    "8b3a6fd08476c0527c2332c47c1cd42343d13e89943759706041ed9ca970fa41",
    "ad3562a6eb381b6f8f75e28d77ac53b2a3f670ac3dd8864d9122ffb3af0abb90",
    "9376209e0faa20b576164fd3071cb86ac2a78b20f44daa049e98b16a3be7fb1c",
    "64cc135aeae662923eaab632839103d1fd3ff59f3c32605abe0e995ed336e986",
    "809750bf76803038c73bb635eba35a799e17d1815f29e27fb5a1cb9b61075148",
    "bf7f34393dbd4a3737fcfc2ca2250edf173c7687c0e1f2ddeccb3f32d6b070ca",
    "89ccdee8eeb21fbf819b7f137f546aab188a8090f2048b3ec130bdfc400ff14b",
    "4ec582c76b436bae6784ab0762898d524bc5fa526a6129f7212a0f1eca12e1f1",
    "63b5691bb660fa148aaf415e38e3bb42bf13ed86d1c642279eb313e559b1c522",
    "5bc99ba61504bba8b523bc1f04a0ce240ce69e63884da49f52c94f9b3fb20517",
    "8ed2f7bf172fb3a9744796ca530ad844e46e2c79ac4459856e89b03355ed55cb",
    "2d9f893483da6ba076ad4fe477d3b0898d2c7321a2c97194d1d5d3fbb1d611c3",
    "a277dcc91985a2aa3528dc68c192df37dffb38a99a1caa663182309adbb98acf",
    "70aecbbb4b573f696ecabcf94f7b3a82bf407167ac56ba390591f5e13c7e1f55",
    "844d5c0e55ff7f4db9d89e93f60e3d7648ae4753bd1889cfdeafe61e75270b02",
    "b62d5926a10a241db08dd7939993bcfe0cd7818f4784636baf44eb1e7aa90102",
    "c8e878584aa3f04eafc6efa6d9911078f2a94d68c52bdec1d7bf5fa3c1e01adc",
    "dba687b8adfa6631eee66a61ffdca62f4e74e0028fe08bad7ec9dd80de8b8d2a",
    "6ea03d079f937655aa0e403bc04438d06b6260a99a87ba3c92088c648fceda07",
    "5114264cddc72e680398958420ac91b3902758ad5fbcf9ab3c428e7614ae8368",
    "14bcbd70a3895b3eef1456fffbb52a37d8bb717a56bbd3e4a12c64a4ba75d3c8",
)
"""The sha256 of each script, forever.  A new script adds a line."""


def test_scripts_of_migrations_never_change() -> None:
    assert tuple(hashlib.sha256(script.encode()).hexdigest() for script in scripts()) == SUMS
