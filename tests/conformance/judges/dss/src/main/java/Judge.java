import eu.europa.esig.dss.crl.CRLUtils;
import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSException;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonCertificateSource;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Judge 3: EU DSS, with the validation process of ETSI EN 319 102-1 and the library's own default policy.
 *
 * <p>{@code Judge ROOT [INTERMEDIATE | CRL]... -- FILE...}: one line for each FILE; exit 0 all accepted, 1 any refused, 2 cannot
 * run. Nothing is fetched: ROOT is the only trust anchor, the intermediates and CRLs come from files. The envelope's lower-case
 * {@code id} needs no help: DSS takes an attribute of that name, in any case, as an identifier.
 */
public final class Judge {
  /** Warnings that are right for this profile, by DSS's key. Any other warning refuses the file. */
  private static final Map<String, String> EXPECTED_WARNINGS = Map.of(
      "BBB_XCV_AIA_PRES_ANS", "HPKI certificates carry no authorityInfoAccess: the issuer's certificate is known beforehand");

  private final CommonCertificateVerifier verifier = new CommonCertificateVerifier(true);

  private Judge(Path root, List<Path> adjuncts) throws IOException {
    var anchors = new CommonTrustedCertificateSource();
    anchors.addCertificate(DSSUtils.loadCertificate(root.toFile()));
    verifier.setTrustedCertSources(anchors);

    var intermediates = new CommonCertificateSource();
    List<InputStream> crls = new ArrayList<>();
    for (Path adjunct : adjuncts) {
      byte[] bytes = Files.readAllBytes(adjunct);
      try {
        CertificateToken certificate = DSSUtils.loadCertificate(bytes);
        intermediates.addCertificate(certificate);
      } catch (DSSException noCertificate) {
        CRLUtils.buildCRLBinary(bytes);
        crls.add(new ByteArrayInputStream(bytes));
      }
    }
    verifier.setAdjunctCertSources(intermediates);
    verifier.setCrlSource(new ExternalResourcesCRLSource(crls.toArray(InputStream[]::new)));
  }

  /** Why {@code file} is refused; empty when it is accepted. */
  private List<String> reasons(Path file) {
    Reports reports;
    try {
      SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file.toFile()));
      validator.setCertificateVerifier(verifier);
      reports = validator.validateDocument();
    } catch (RuntimeException unreadable) {
      return List.of("unreadable: " + unreadable.getMessage());
    }
    List<SignatureWrapper> signatures = reports.getDiagnosticData().getSignatures();
    if (signatures.size() != 1) {
      return List.of(signatures.size() + " signatures");
    }
    List<String> reasons = new ArrayList<>(verdict(reports.getSimpleReport(), signatures.get(0).getId()));
    reasons.addAll(coverage(signatures.get(0)));
    reasons.addAll(timestamps(reports.getDiagnosticData()));
    return reasons;
  }

  private static List<String> verdict(SimpleReport report, String signature) {
    List<String> reasons = new ArrayList<>();
    if (report.getIndication(signature) != Indication.TOTAL_PASSED) {
      reasons.add(report.getIndication(signature) + " " + report.getSubIndication(signature));
    }
    for (Message error : report.getAdESValidationErrors(signature)) {
      reasons.add("error " + error.getKey() + " " + error.getValue());
    }
    for (Message warning : report.getAdESValidationWarnings(signature)) {
      if (!EXPECTED_WARNINGS.containsKey(warning.getKey())) {
        reasons.add("unexplained warning " + warning.getKey() + " " + warning.getValue());
      }
    }
    return reasons;
  }

  /** What was signed, as DSS resolved it, must be the prescription's body. */
  private static List<String> coverage(SignatureWrapper signature) {
    List<String> scopes = signature.getSignatureScopes().stream().map(scope -> scope.getName()).toList();
    return scopes.equals(List.of("PrescriptionDocument")) ? List.of() : List.of("covers " + scopes);
  }

  /** The time-stamps' authorities are no anchor here; their imprints and values must still be right. */
  private static List<String> timestamps(DiagnosticData data) {
    return data.getTimestampList().stream()
        .filter(stamp -> !stamp.isMessageImprintDataFound() || !stamp.isMessageImprintDataIntact() || !stamp.isSignatureValid())
        .map(TimestampWrapper::getType).map(type -> "time-stamp " + type + " is not intact").toList();
  }

  public static void main(String[] arguments) {
    List<Path> paths = Arrays.stream(arguments).map(Path::of).toList();
    int separator = paths.indexOf(Path.of("--"));
    if (separator < 1 || separator == paths.size() - 1) {
      System.out.println("cannot run: usage: Judge ROOT [INTERMEDIATE | CRL]... -- FILE...");
      System.exit(2);
    }
    Judge judge = null;
    try {
      judge = new Judge(paths.get(0), paths.subList(1, separator));
    } catch (IOException | RuntimeException trouble) {
      System.out.println("cannot run: " + trouble);
      System.exit(2);
    }
    boolean refused = false;
    for (Path file : paths.subList(separator + 1, paths.size())) {
      List<String> reasons = judge.reasons(file);
      refused |= !reasons.isEmpty();
      System.out.println(reasons.isEmpty() ? "accepted: " + file : "refused: " + file + ": " + String.join("; ", reasons));
    }
    System.exit(refused ? 1 : 0);
  }
}
