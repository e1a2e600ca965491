<?php
// Everybody in people.json may sign in with the login and the password that stand there.

$users = [];
foreach (json_decode(file_get_contents(getenv('E2E_FOLDER') . '/people.json'), true) as $p) {
    $users[$p['login'] . ':' . $p['password']] = [
        'uid' => [$p['subject']],
        'mail' => [$p['email']],
        'givenName' => [$p['given_name']],
        'sn' => [$p['family_name']],
        'displayName' => [$p['given_name'] . ' ' . $p['family_name']],
    ];
}
$config = ['people' => array_merge(['exampleauth:UserPass'], $users)];
