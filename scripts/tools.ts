import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** Where Chromium is: `CHROMIUM_PATH`, else the first of the usual names on the PATH. */
export function findChromium(): string | undefined {
  return process.env['CHROMIUM_PATH'] || findOnPath('chromium', 'chromium-browser', 'google-chrome')
}

export function findCurl(): string | undefined {
  return findOnPath('curl')
}

/** Debian puts it where only the PATH of root looks. */
export function findNginx(): string | undefined {
  return findOnPath('nginx', '/usr/sbin/nginx')
}

export function findRedis(): string | undefined {
  return findOnPath('redis-server', 'valkey-server')
}

/** Debian puts each version into a folder of its own. */
export function findPostgres(): string | undefined {
  return findOnPath('initdb', ...globSync('/usr/lib/postgresql/*/bin/initdb').sort().reverse())
}

/** The full path of the first of these programs that the PATH has. A name that is a path of its own is looked at as it is. */
export function findOnPath(...names: string[]): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  return names
    .flatMap((name) => (isAbsolute(name) ? name : directories.map((directory) => join(directory, name))))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Not there, or not ours to run: either way it can't be used.
    return false
  }
}
