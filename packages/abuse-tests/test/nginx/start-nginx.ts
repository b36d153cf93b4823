import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { findFreePort } from '../../../../scripts/free-port.ts'
import { findNginx } from '../../../../scripts/tools.ts'

export interface Nginx {
  readonly url: string
  close(): Promise<void>
}

/** A real nginx before a backend, which caches whatever it may, under one key for all users, and asks the backend once at a time. */
export async function startNginx(backend: string): Promise<Nginx> {
  const program = findNginx()
  if (program === undefined) throw new Error('no nginx: install it')
  const directory = mkdtempSync(join(tmpdir(), 'query-tags-nginx-'))
  const port = await findFreePort()
  writeFileSync(join(directory, 'nginx.conf'), configure(directory, port, backend))
  const nginx = spawn(program, ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  nginx.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()))
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

function configure(directory: string, port: number, backend: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
    daemon off;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    worker_processes 1;
    pid ${directory}/nginx.pid;
    error_log stderr;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n      ')}
      proxy_cache_path ${directory}/cache keys_zone=shared:1m;
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass ${backend};
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_set_header Connection '';
          proxy_cache shared;
          proxy_cache_key $request_uri;
          proxy_cache_methods GET HEAD POST;
          proxy_cache_valid any 10m;
          proxy_cache_lock on;
          add_header X-Cache $upstream_cache_status always;
        }
      }
    }`
}
