import { startNginx, type Nginx } from '../../../abuse-tests/test/nginx/start-nginx.ts'

/**
 * An nginx before server processes, without stickiness: what docs say to write. A process that is leaving answers 503, and the next one is
 * asked, though the request is a POST; a new one, which has few streams, gets more.
 */
export function startFleetNginx(ports: readonly number[]): Promise<Nginx> {
  return startNginx({
    http: () => `
      upstream fleet {
        least_conn;
        ${ports.map((port) => `server 127.0.0.1:${port} max_fails=0;`).join('\n        ')}
      }`,
    location: `
          proxy_pass http://fleet;
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_set_header Connection '';
          proxy_next_upstream error timeout http_503 non_idempotent;`,
  })
}
