<?php
// What a test has chosen: the file settings.json in E2E_FOLDER, which may be absent.

function e2e_setting(string $name)
{
    $file = getenv('E2E_FOLDER') . '/settings.json';
    $all = is_file($file) ? json_decode(file_get_contents($file), true) : [];
    return $all[$name] ?? null;
}
