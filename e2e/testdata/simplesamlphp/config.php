<?php
// SimpleSAMLphp for the end-to-end tests. The test writes people.json, idp.key, idp.crt and sp/*.xml into the folder E2E_FOLDER
// and says in E2E_ORIGIN where the server listens. What a test chooses while the server runs stands in settings.json.

$folder = getenv('E2E_FOLDER');
require_once __DIR__ . '/settings.php';
if (e2e_setting('cipher') !== null) {
    // This release encrypts with AES-128-CBC whatever is configured; the next one lets the administrator choose.
    spl_autoload_register(function ($class) {
        if ($class === 'SAML2\\EncryptedAssertion') {
            require __DIR__ . '/encrypted-assertion.php';
        }
    }, true, true);
}
$config = [
    'baseurlpath' => getenv('E2E_ORIGIN') . '/',
    'certdir' => "$folder/",
    'loggingdir' => "$folder/",
    'datadir' => "$folder/",
    'tempdir' => "$folder/tmp",
    'metadatadir' => __DIR__ . '/metadata/',
    'attributenamemapdir' => '/usr/share/simplesamlphp/config/attributemap/',
    'technicalcontact_name' => 'Nobody',
    'technicalcontact_email' => 'nobody@example.com',
    'secretsalt' => 'only-for-tests',
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'timezone' => 'UTC',
    'admin.protectmetadata' => false,
    'admin.checkforupdates' => false,
    'showerrors' => true,
    'errorreporting' => false,
    'logging.level' => SimpleSAML\Logger::INFO,
    'logging.handler' => 'file',
    'logging.logfile' => 'simplesamlphp.log',
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'session.cookie.name' => 'SimpleSAMLSessionID',
    'session.cookie.secure' => false,
    'session.cookie.samesite' => 'Lax',
    'session.phpsession.cookiename' => 'SimpleSAML',
    'session.phpsession.savepath' => "$folder/tmp",
    'session.phpsession.httponly' => true,
    'language.cookie.secure' => false,
    'language.cookie.samesite' => 'Lax',
    'store.type' => e2e_setting('artifact') ? 'sql' : 'phpsession',
    'store.sql.dsn' => "sqlite:$folder/tmp/store.sqlite",
    'metadata.sources' => [['type' => 'flatfile']],
];
