# What a clerk mends in the refused rows: a mistyped 法人番号, a mistyped confirmation, a number that Excel destroyed.
s/T7999923456782/T7999923456781/
s/reiji-shoten\.example\.cojp/reiji-shoten.example.co.jp/
s/9\.99946E+12/T1999946123456/
