<?php
// An assertion that is encrypted by SimpleSAMLphp's own XML library with the cipher that the test has chosen.

namespace SAML2;

use RobRichards\XMLSecLibs\XMLSecEnc;
use RobRichards\XMLSecLibs\XMLSecurityKey;

class EncryptedAssertion
{
    private $data;

    public function setAssertion(Assertion $assertion, XMLSecurityKey $recipient): void
    {
        $content = new XMLSecurityKey(e2e_setting('cipher'));
        $content->generateSessionKey();
        $encryption = new XMLSecEnc();
        $encryption->setNode($assertion->toXML());
        $encryption->type = XMLSecEnc::Element;
        $encryption->encryptKey($recipient, $content);
        $this->data = $encryption->encryptNode($content);
    }

    public function toXML(?\DOMNode $parent = null): \DOMElement
    {
        $document = $parent === null ? new \DOMDocument() : $parent->ownerDocument;
        $element = $document->createElementNS('urn:oasis:names:tc:SAML:2.0:assertion', 'saml:EncryptedAssertion');
        ($parent ?? $document)->appendChild($element);
        $element->appendChild($document->importNode($this->data, true));
        return $element;
    }
}
