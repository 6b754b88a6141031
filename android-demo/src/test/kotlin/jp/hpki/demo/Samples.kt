package jp.hpki.demo

import java.time.LocalDate
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import jp.hpki.agent.Office
import jp.hpki.agent.prescription

/** Prescriptions for the eye. */
object Samples {
    private val today = LocalDate.now(ZoneId.of("Asia/Tokyo"))

    private fun day(date: LocalDate) = date.format(DateTimeFormatter.BASIC_ISO_DATE)

    /** Two RPs, a refill, remarks, a generic that is forbidden, a public expense. */
    val full: String = """
        SJ1
        1,1,1312345,13,検証用クリニック
        2,100-0001,東京都千代田区千代田一丁目
        3,03-0000-0000,03-0000-0001,
        4,2,01,内科
        5,,ｹﾝｼｮｳ ﾊﾅｺ,${Office.DOCTOR}
        11,00000001,電処　有効五二,ﾃﾞﾝｼｮ ﾕｳｺｳｺﾞﾆ
        12,2
        13,19540401
        21,1
        22,06123456
        23,１２３,４５６７,1,01
        27,54131234,1234567
        51,${day(today)}
        52,${day(today.plusDays(3))}
        62,1
        64,3
        81,001,1,起床時と就寝前を分けて一包化してください
        101,1,1,,28
        111,1,3,1013044400000000,１日２回朝夕食後　服用,2
        201,1,1,1,2,610406079,ガスターＤ錠２０ｍｇ,2,1,錠
        281,1,1,001,3,後発品変更不可,
        201,1,2,1,2,612320584,ムコスタ錠１００ｍｇ,2,1,錠
        101,2,3,,1
        111,2,3,2B74000000000000,１日４回　点眼,4
        181,2,001,6,両眼,,
        201,2,1,1,2,622688101,ヒアレイン点眼液０．１％,5,1,ｍＬ

    """.trimIndent()

    /** The sex has a code that no table has, and a line ends with two characters. */
    val refused: String = prescription("見本　三郎").replace("\n12,1\n", "\n12,7\n")
}
