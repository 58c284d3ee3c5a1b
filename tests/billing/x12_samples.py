"""X12 files of this clinic's imaginary payers, written for these tests."""


def segments(*parts: str) -> list[str]:
    return [part.strip() for text in parts for part in text.strip().split("\n") if part.strip()]


def isa(control: str = "000000042", *, version: str = "00501", repetition: str = "^", component: str = ":") -> str:
    return (
        f"ISA*00*          *00*          *ZZ*SUNRISEPAYER   *ZZ*STILLWATER     *261120*0815*{repetition}"
        f"*{version}*{control}*0*P*{component}"
    )


def interchange(
    *transactions: list[str], control: str = "000000042", group: str = "HB", version: str = "005010X279A1"
) -> list[str]:
    old = version.startswith("004010")
    header = isa(control, version="00401" if old else "00501", repetition="U" if old else "^")
    opening = f"GS*{group}*SUNRISEPAYER*STILLWATER*20261120*0815*42*X*{version}"
    body = [segment for transaction in transactions for segment in transaction]
    return [header, opening, *body, f"GE*{len(transactions)}*42", f"IEA*1*{control}"]


def transaction(body: list[str], kind: str = "271", control: str = "0001", version: str = "005010X279A1") -> list[str]:
    implementation = "" if version.startswith("004010") else f"*{version}"
    return [f"ST*{kind}*{control}{implementation}", *body, f"SE*{len(body) + 2}*{control}"]


def joined(parts: list[str], terminator: str = "~", line_break: str = "") -> bytes:
    return "".join(part + terminator + line_break for part in parts).encode()


HEADER = segments("""
    BHT*0022*11*ASK-1*20261120*0815
    HL*1**20*1
    NM1*PR*2*SUNRISE HEALTH*****PI*00777
    PER*IC*PROVIDER LINE*TE*8005550100*UR*WWW.SUNRISE.EXAMPLE
    HL*2*1*21*1
    NM1*1P*2*STILLWATER CLINIC*****XX*1234567893
""")
SUBSCRIBER = segments("""
    HL*3*2*22*0
    TRN*2*T-1001*9STILLWATE*DESK
    TRN*1*PAYER-5*9SUNRISE00
    NM1*IL*1*OKAFOR*ADA*N**JR*MI*SUN123456
    REF*6P*GRP-9*HARBOUR WORKS
    N3*12 QUAY ST*FLAT 3
    N4*PORTLAND*OR*97201
    DMG*D8*19850214*F
    INS*Y*18*001*25
    DTP*346*D8*20260101
""")
ACTIVE = segments("""
    EB*1**30**GOLD PPO
    EB*1*IND*MH^98^UC*PR*GOLD PPO
    EB*C*IND*30*PR*GOLD PPO*23*1500.00
    EB*C*IND*30*PR*GOLD PPO*29*250.5
    DTP*292*RD8*20260101-20261231
    EB*A*IND*MH*PR**27**.2***N*Y
    EB*B*IND*98^A6*PR**27*30.00****Y*N
    MSG*COPAY IS WAIVED FOR TELEHEALTH
    MSG*ASK FOR THE DESK
    EB*F*IND*A6*PR**23***VS*20*Y*U
    HSD*VS*20***22*1
    REF*G1*AUTH-77
    III*ZZ*11
    DTP*348*D8*20260301
    EB*D*IND**PR*******Y*W*HC:90834:95:GT:::THERAPY*1:2
    EB*U**88
    LS*2120
    NM1*VN*2*CARVE OUT RX*****PI*RX01
    N3*1 PILL WAY
    N4*SALEM*OR*97301
    PER*IC*HELP*TE*8005550199*FX*8005550198
    PRV*PE*PXC*2084P0800X
    NM1*P3*1*WU*LIN****XX*1999999984
    LE*2120
    EB*W
""")
ACTIVE_271 = interchange(transaction([*HEADER, *SUBSCRIBER, *ACTIVE]))

DEPENDENT_271 = interchange(
    transaction(
        [
            *HEADER,
            *segments("""
                HL*3*2*22*1
                NM1*IL*1*OKAFOR*ADA****MI*SUN123456
                HL*4*3*23*0
                TRN*2*T-1002*9STILLWATE
                NM1*03*1*OKAFOR*BEN
                DMG*D8*20100630*M
                INS*N*19
                DTP*307*RD8*20260101-20261231
                EB*1**30
                HL*5*3*23*0
                TRN*2*T-1003*9STILLWATE
                NM1*03*1*OKAFOR*CHI
                AAA*N**71*C
            """),
        ]
    )
)

REJECTED_271 = interchange(transaction([*HEADER[:4], "HL*2*1*21*0", HEADER[5], "AAA*Y**42*R", "AAA*N**43*C"]))

OLD_271 = interchange(
    transaction([*HEADER, *SUBSCRIBER, "EB*1*FAM*30*HM*OLD PLAN", "EB*B**98***27*15"], version="004010X092A1"),
    version="004010X092A1",
)

QUESTION_270 = interchange(
    transaction(
        segments("""
            BHT*0022*13*ASK-1*20261120*0815
            HL*1**20*1
            NM1*PR*2*SUNRISE HEALTH*****PI*00777
            HL*2*1*21*1
            NM1*1P*2*STILLWATER CLINIC*****XX*1234567893
            REF*TJ*123456789
            HL*3*2*22*1
            NM1*IL*1*OKAFOR*ADA****MI*SUN123456
            HL*4*3*23*0
            TRN*1*T-1002*9STILLWATE
            NM1*03*1*OKAFOR*BEN
            DMG*D8*20100630*M
            DTP*291*D8*20261125
            EQ*30^MH
            III*ZZ*11
            EQ**HC:90834
            REF*9F*REFERRAL
        """),
        kind="270",
    ),
    group="HS",
)

REJECTED_999 = interchange(
    transaction(
        segments("""
            AK1*HS*42*005010X279A1
            AK2*270*0001*005010X279A1
            IK3*NM1*8*2100*8
            CTX*SITUATIONAL TRIGGER*NM1*8
            IK4*9*67*1*BAD
            IK4*3:1*1035*6
            IK5*R*5*I5
            AK2*270*0002
            IK5*A
            AK9*P*2*2*1*5
        """),
        kind="999",
        version="005010X231A1",
    ),
    group="FA",
    version="005010X231A1",
)
OLD_997 = interchange(
    transaction(
        segments("""
            AK1*HS*42
            AK2*270*0001
            AK3*DTP*14**3
            AK4*3**8*20261399
            AK5*E*5
            AK9*E*1*1*1
        """),
        kind="997",
        version="004010",
    ),
    group="FA",
    version="004010",
)
INTERCHANGE_ACKNOWLEDGED = [isa(), "TA1*000000041*261120*0814*R*019", "IEA*0*000000042"]

PAYMENT_835 = interchange(
    transaction(
        segments("""
            BPR*I*120.00*C*CHK************20261120
            TRN*1*CHECK-9*1999999999
            N1*PR*SUNRISE HEALTH
            CLP*CLAIM-1*1*150.00*120.00*30.00*12*ICN1
        """),
        kind="835",
        version="005010X221A1",
    ),
    group="HP",
    version="005010X221A1",
)

SAMPLES = {
    "active": ACTIVE_271,
    "dependent": DEPENDENT_271,
    "rejected": REJECTED_271,
    "old": OLD_271,
    "question": QUESTION_270,
    "999": REJECTED_999,
    "997": OLD_997,
    "ta1": INTERCHANGE_ACKNOWLEDGED,
    "835": PAYMENT_835,
}
