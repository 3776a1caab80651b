import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.TreeSet;
import java.util.logging.LogManager;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Judges each file named on standard input against the PDF/A level it claims; one tabbed line for each. */
public class Check {
    public static void main(String[] args) throws Exception {
        LogManager.getLogManager().reset();
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader names = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        VeraGreenfieldFoundryProvider.initialise();
        for (String name = names.readLine(); name != null; name = names.readLine()) {
            out.println(name + "\t" + judged(name));
        }
    }

    private static String judged(String name) {
        try (FileInputStream file = new FileInputStream(name);
                PDFAParser parser = Foundries.defaultInstance().createParser(file)) {
            List<PDFAFlavour> claims = parser.getFlavours();
            if (claims.isEmpty() || claims.get(0) == PDFAFlavour.NO_FLAVOUR) {
                return "none\tfalse\tno PDF/A level is claimed";
            }
            PDFAFlavour claimed = claims.get(0);
            try (PDFAValidator validator = Foundries.defaultInstance().createValidator(claimed, false)) {
                ValidationResult result = validator.validate(parser);
                return claimed.getId() + "\t" + result.isCompliant() + "\t" + broken(result);
            }
        } catch (Exception problem) {
            return "none\tfalse\t" + problem.getClass().getSimpleName() + ": " + problem.getMessage();
        }
    }

    private static String broken(ValidationResult result) {
        TreeSet<String> rules = new TreeSet<>();
        for (TestAssertion one : result.getTestAssertions()) {
            if (one.getStatus() == TestAssertion.Status.FAILED) {
                rules.add(one.getRuleId().getClause() + "-" + one.getRuleId().getTestNumber());
            }
        }
        return String.join(" ", rules);
    }
}
