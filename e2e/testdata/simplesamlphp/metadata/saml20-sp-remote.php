<?php
// The service providers: whatever metadata the test has put into the folder sp, read by SimpleSAMLphp's own parser.
// One whose file is named NAME.encrypted.xml gets its assertions encrypted.

foreach (glob(getenv('E2E_FOLDER') . '/sp/*.xml') as $file) {
    foreach (\SimpleSAML\Metadata\SAMLParser::parseDescriptorsString(file_get_contents($file)) as $id => $parser) {
        $metadata[$id] = $parser->getMetadata20SP();
        $metadata[$id]['assertion.encryption'] = str_ends_with($file, '.encrypted.xml');
    }
}
