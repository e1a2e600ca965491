<?php
// The identity provider: it signs response and assertion with SHA-256, demands signed requests, signs log-outs and demands it of others, and sends
// attributes by their object identifiers, as federations do.

$metadata['__DYNAMIC:1__'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'idp.key',
    'certificate' => 'idp.crt',
    'auth' => 'people',
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'saml20.sign.response' => true,
    'saml20.sign.assertion' => true,
    'validate.authnrequest' => true,
    'sign.logout' => true,
    'validate.logout' => true,
    'saml20.sendartifact' => e2e_setting('artifact') === true,
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    'authproc' => [
        10 => [
            'class' => 'saml:AttributeNameID',
            'attribute' => 'uid',
            'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
        ],
        100 => ['class' => 'core:AttributeMap', 'name2oid'],
    ],
];
if (e2e_setting('new_certificate') !== null) {
    $metadata['__DYNAMIC:1__']['new_certificate'] = e2e_setting('new_certificate');
}
