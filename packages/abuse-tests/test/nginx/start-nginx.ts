import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { findFreePort } from '../../../../scripts/free-port.ts'
import { startProcess } from '../../../../scripts/start-process.ts'
import { findNginx } from '../../../../scripts/tools.ts'

export interface Nginx {
  readonly url: string
  close(): Promise<void>
}

/** What stands in nginx's `http` block: everything before its server, and what the server does with a request. */
export interface NginxSettings {
  readonly http: (directory: string) => string
  readonly location: string
}

/** A real nginx. */
export async function startNginx(settings: NginxSettings): Promise<Nginx> {
  const program = findNginx()
  if (program === undefined) throw new Error('no nginx: install it')
  const directory = mkdtempSync(join(tmpdir(), 'query-tags-nginx-'))
  const port = await findFreePort()
  writeFileSync(join(directory, 'nginx.conf'), configure(directory, port, settings))
  const nginx = startProcess(program, ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  nginx.stderr?.on('data', (bytes: Buffer) => (log += bytes.toString()))
  const ended = once(nginx, 'exit')
  const url = `http://127.0.0.1:${port}`
  await vi
    .waitFor(() => fetch(`${url}/up`), { timeout: 10_000 })
    .catch((cause: unknown) => {
      throw new Error(`nginx does not listen: ${log}`, { cause })
    })
  return {
    url,
    async close() {
      nginx.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Before a backend, of which it caches whatever it may, under one key for all users, and asks it once at a time. */
export function startCachingNginx(backend: string): Promise<Nginx> {
  return startNginx({
    http: (directory) => `proxy_cache_path ${directory}/cache keys_zone=shared:1m;`,
    location: `
      proxy_pass ${backend};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection '';
      proxy_cache shared;
      proxy_cache_key $request_uri;
      proxy_cache_methods GET HEAD POST;
      proxy_cache_valid any 10m;
      proxy_cache_lock on;
      add_header X-Cache $upstream_cache_status always;`,
  })
}

function configure(directory: string, port: number, { http, location }: NginxSettings): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
    daemon off;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    worker_processes 1;
    worker_rlimit_nofile 8192;
    pid ${directory}/nginx.pid;
    error_log stderr;
    events { worker_connections 8000; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n      ')}
      ${http(directory)}
      server {
        listen 127.0.0.1:${port};
        location / {${location}
        }
      }
    }`
}
