"""The rules of SPDX 2.3 documents in JSON, as far as scripts/sbom uses the format: https://spdx.github.io/spdx-spec/v2.3/

Licence expressions are checked by Debian's python3-license-expression, which knows SPDX's list. The names of members, of relationships and of
categories are those of the specification; a document with others is refused, as by its schema.
"""

import re
import urllib.parse

from license_expression import get_spdx_licensing

DOCUMENT = "SPDXRef-DOCUMENT"
NO_VALUE = ("NOASSERTION", "NONE")
ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")
LICENCE_ID = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")
LICENCE_REFERENCE = re.compile(r"\bLicenseRef-[A-Za-z0-9.-]+")
AGENT = re.compile(r"(Person|Organization): \S.*")
CREATOR = re.compile(r"(Person|Organization): \S.*|Tool: \S+-\S+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# pkg:TYPE/NAMESPACE/NAME@VERSION?QUALIFIERS of the purl specification, with everything else percent-encoded.
PURL = re.compile(r"pkg:[a-z][a-z0-9.-]*(/[A-Za-z0-9._~%-]+)+@[A-Za-z0-9._~%-]+(\?[a-z][a-z0-9._-]*=[A-Za-z0-9._~%:-]+(&[a-z][a-z0-9._-]*=[A-Za-z0-9._~%:-]+)*)?")

DOCUMENT_MEMBERS = {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"}
OPTIONAL_DOCUMENT_MEMBERS = {"comment", "documentDescribes", "externalDocumentRefs", "packages", "files", "snippets", "relationships", "annotations",
                             "hasExtractedLicensingInfos"}
PACKAGE_MEMBERS = {"SPDXID", "name", "downloadLocation"}
OPTIONAL_PACKAGE_MEMBERS = {
    "versionInfo", "packageFileName", "supplier", "originator", "filesAnalyzed", "packageVerificationCode", "checksums", "homepage", "sourceInfo",
    "licenseConcluded", "licenseInfoFromFiles", "licenseDeclared", "licenseComments", "copyrightText", "summary", "description", "comment",
    "externalRefs", "attributionTexts", "primaryPackagePurpose", "releaseDate", "builtDate", "validUntilDate", "annotations", "hasFiles",
}
PURPOSES = {"APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER", "OPERATING-SYSTEM", "DEVICE", "FIRMWARE", "SOURCE", "ARCHIVE", "FILE", "INSTALL", "OTHER"}
REFERENCES = {"SECURITY": {"cpe22Type", "cpe23Type", "advisory", "fix", "url", "swid"}, "PACKAGE-MANAGER": {"maven-central", "npm", "nuget", "bower", "purl"},
              "PERSISTENT-ID": {"swh", "gitoid"}}
RELATIONSHIPS = {"DESCRIBES", "DESCRIBED_BY", "CONTAINS", "CONTAINED_BY", "DEPENDS_ON", "DEPENDENCY_OF", "STATIC_LINK", "DYNAMIC_LINK", "GENERATES",
                 "GENERATED_FROM", "BUILD_TOOL_OF", "RUNTIME_DEPENDENCY_OF", "OPTIONAL_DEPENDENCY_OF", "OTHER"}


def errors_of(document):
    """Returns what breaks a rule of the format, as texts."""
    errors = []

    def expect(condition, message):
        if not condition:
            errors.append(message)

    def expect_members(value, required, optional, where):
        expect(required <= set(value), f"{where} lacks {sorted(required - set(value))}")
        expect(set(value) <= required | optional, f"{where} has {sorted(set(value) - required - optional)}, which the format has not")

    licences = [each.get("licenseId", "") for each in document.get("hasExtractedLicensingInfos", ())]
    used = set()

    def expect_licence(text, where):
        if text in NO_VALUE:
            return
        wrong = get_spdx_licensing().validate(LICENCE_REFERENCE.sub("MIT", text)).errors
        expect(not wrong, f"{where}: {text} is no licence expression: {wrong}")
        for reference in LICENCE_REFERENCE.findall(text):
            used.add(reference)
            expect(reference in licences, f"{where}: {reference} has no text")

    expect_members(document, DOCUMENT_MEMBERS, OPTIONAL_DOCUMENT_MEMBERS, "the document")
    expect(document.get("spdxVersion") == "SPDX-2.3" and document.get("dataLicense") == "CC0-1.0" and document.get("SPDXID") == DOCUMENT,
           "the document is not of this version, under CC0-1.0, with its fixed id")
    namespace = urllib.parse.urlsplit(document.get("documentNamespace", ""))
    expect(namespace.scheme and namespace.netloc and not namespace.fragment, "the namespace is not a URI without a fragment")
    creation = document.get("creationInfo", {})
    expect_members(creation, {"created", "creators"}, {"comment", "licenseListVersion"}, "creationInfo")
    expect(TIME.fullmatch(creation.get("created", "")), "created is not a time in UTC")
    expect(creation.get("creators") and all(CREATOR.fullmatch(each) for each in creation["creators"]), "a creator has no kind")

    ids = [DOCUMENT]
    for package in document.get("packages", ()):
        where = package.get("name", "a package")
        expect_members(package, PACKAGE_MEMBERS, OPTIONAL_PACKAGE_MEMBERS, where)
        ids.append(package.get("SPDXID", ""))
        expect(ID.fullmatch(ids[-1]), f"{where}: its id is malformed")
        expect(package.get("downloadLocation") in NO_VALUE or urllib.parse.urlsplit(package.get("downloadLocation", "")).scheme, f"{where}: no location")
        expect(package.get("supplier", "NOASSERTION") == "NOASSERTION" or AGENT.fullmatch(package["supplier"]), f"{where}: its supplier has no kind")
        expect(not package.get("filesAnalyzed", True) and "packageVerificationCode" not in package,
               f"{where}: no files are listed, so none were analysed")
        expect("homepage" not in package or urllib.parse.urlsplit(package["homepage"]).scheme, f"{where}: its homepage is no URI")
        expect(package.get("primaryPackagePurpose", "OTHER") in PURPOSES, f"{where}: its purpose is unknown")
        for member in ("licenseConcluded", "licenseDeclared"):
            expect_licence(package.get(member, "NOASSERTION"), f"{where}, {member}")
        for reference in package.get("externalRefs", ()):
            expect_members(reference, {"referenceCategory", "referenceType", "referenceLocator"}, {"comment"}, where)
            expect(reference.get("referenceType") in REFERENCES.get(reference.get("referenceCategory"), ()), f"{where}: a reference of unknown type")
            expect(reference.get("referenceType") != "purl" or PURL.fullmatch(reference.get("referenceLocator", "")), f"{where}: its purl is malformed")
    expect(len(set(ids)) == len(ids), "two elements have one id")
    expect(set(document.get("documentDescribes", ())) <= set(ids), "the document describes what it has not")

    relationships = document.get("relationships", ())
    for each in relationships:
        expect_members(each, {"spdxElementId", "relationshipType", "relatedSpdxElement"}, {"comment"}, "a relationship")
        expect(each.get("relationshipType") in RELATIONSHIPS, f"{each}: unknown type")
        expect(each.get("spdxElementId") in ids and each.get("relatedSpdxElement") in (*ids, *NO_VALUE), f"{each}: an end is missing")
    expect(any(each.get("relationshipType") == "DESCRIBES" and each.get("spdxElementId") == DOCUMENT for each in relationships),
           "the document describes nothing")

    for licence in document.get("hasExtractedLicensingInfos", ()):
        expect_members(licence, {"licenseId", "extractedText"}, {"name", "comment", "seeAlsos", "crossRefs"}, "a licence")
        expect(LICENCE_ID.fullmatch(licence.get("licenseId", "")) and licence.get("extractedText", "").strip(), "a licence has no id, or no text")
    expect(len(set(licences)) == len(licences) and set(licences) == used, "a licence is listed twice, or for no package")
    return errors
