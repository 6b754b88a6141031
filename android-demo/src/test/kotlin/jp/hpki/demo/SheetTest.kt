package jp.hpki.demo

import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import java.lang.reflect.ParameterizedType
import java.lang.reflect.Type
import jp.hpki.agent.core.Coded
import jp.hpki.agent.core.DateText
import jp.hpki.agent.core.FieldName
import jp.hpki.agent.core.Preview
import jp.hpki.agent.core.Violation
import jp.hpki.agent.core.ViolationSeverity
import jp.hpki.demo.sheet.Sheet
import jp.hpki.demo.ui.Ui
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** What the doctor is shown is everything that the prescription says. */
@RunWith(RobolectricTestRunner::class)
class SheetTest {
    @Test
    fun `every field of the preview stands on the sheet, whatever it says`() = everythingIsShown { it.ja }

    @Test
    @Config(qualifiers = "en-rGB")
    fun `and in English`() = everythingIsShown { it.en }

    private fun everythingIsShown(meaning: (Coded) -> String) {
        val filler = Filler(meaning)
        val preview = filler.fill(Preview::class.java) as Preview
        val shown = texts(sheet(preview)).joinToString("\n")
        assertTrue("the preview has fields", filler.expected.size > 80)
        assertEquals("these are not shown", emptyList<String>(), filler.expected.filterNot { it in shown })
    }

    @Test
    fun `a code that no table has is shown as it is written`() {
        val filler = Filler { it.code }.apply { meanings = false }
        val shown = texts(sheet(filler.fill(Preview::class.java) as Preview)).joinToString("\n")
        assertEquals("these are not shown", emptyList<String>(), filler.expected.filterNot { it in shown })
    }

    @Test
    fun `warnings stand before the patient and the medicines`() {
        val preview = Filler { it.ja }.fill(Preview::class.java) as Preview
        val warning = Violation(ViolationSeverity.WARNING, "c", null, null, null, "気をつけること", "heed this")
        val texts = texts(Sheet(ui(), preview, listOf(warning)).view())
        val warned = texts.indexOfFirst { "気をつけること" in it }
        assertTrue(warned in 0 until texts.indexOfFirst { preview.patient.name in it })
        assertTrue(warned < texts.indexOfFirst { preview.rps.single().drugs.single().name in it })
    }

    private fun ui() = Ui(android.view.ContextThemeWrapper(org.robolectric.RuntimeEnvironment.getApplication(), R.style.Theme_Demo))

    private fun sheet(preview: Preview): View = Sheet(ui(), preview, emptyList()).view()

    private fun texts(view: View): List<String> = when (view) {
        is TextView -> listOf(view.text.toString())
        is ViewGroup -> (0 until view.childCount).flatMap { texts(view.getChildAt(it)) }
        else -> emptyList()
    }
}

/** Makes a record in which every text is one of its own. A field that the library gains is filled, and looked for, by itself. */
private class Filler(private val meaning: (Coded) -> String) {
    val expected = mutableListOf<String>()
    var meanings = true
    private var count = 0

    /** Nine characters of their own, so that none is a part of another. */
    private fun fresh(): String = "<%05d>".format(++count)

    fun fill(type: Type): Any = when (type) {
        String::class.java -> fresh().also { expected += it }
        Boolean::class.javaPrimitiveType, java.lang.Boolean::class.java -> true
        Int::class.javaPrimitiveType -> ++count
        Coded::class.java -> coded()
        DateText::class.java -> DateText(fresh().also { expected += it }, null)
        FieldName::class.java -> FieldName(fresh().also { expected += it }, fresh()).let { FieldName(it.ja, it.ja) }
        is ParameterizedType -> listOf(fill(type.actualTypeArguments.single()))
        is Class<*> -> record(type)
        else -> error("$type")
    }

    private fun coded(): Coded {
        val coded = if (meanings) Coded(fresh(), fresh(), fresh()) else Coded(fresh(), "", "")
        expected += meaning(coded)
        return coded
    }

    private fun record(type: Class<*>): Any {
        val constructor = type.declaredConstructors.filter { !it.isSynthetic }.maxBy { it.parameterCount }
        constructor.isAccessible = true
        val arguments = constructor.genericParameterTypes.mapIndexed { index, parameter ->
            // A nullable Short is a record number, a UInt a line: places, not contents.
            val raw = constructor.parameterTypes[index].name
            if (raw == "kotlin.UShort") null else fill(parameter)
        }
        return constructor.newInstance(*arguments.toTypedArray())
    }
}
