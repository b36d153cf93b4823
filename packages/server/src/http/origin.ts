import { QueryTagsError } from '@query-tags/core'
import { Refusal } from './refusal.ts'
import type { HandlerRequest } from './request.ts'

/**
 * Refuses a request that a page of another origin made, before anything else is looked at. A browser says where a request comes from;
 * other clients need not say anything.
 *
 * @throws {Refusal} `origin-denied`
 */
export function checkOrigin(request: HandlerRequest, allowedOrigins: ReadonlySet<string>): void {
  const origin = request.header('origin')
  // `null`, the origin of sandboxed frames and files, is in no set: readOrigins refuses it.
  if (origin !== undefined && allowedOrigins.has(origin)) return
  const site = request.header('sec-fetch-site')
  const allowed =
    site === undefined ? origin === undefined || isSameHost(origin, request) : site === 'same-origin' || site === 'none'
  // guard(origin): a page of another site must not connect with its visitor's cookies, guarantee 11
  if (!allowed) throw new Refusal('origin-denied', deniedMessage(origin))
}

/** @throws {QueryTagsError} `invalid-option` unless each is an origin as browsers send it, e.g. `https://app.example.com`. */
export function readOrigins(origins: readonly string[] = []): ReadonlySet<string> {
  for (const origin of origins) {
    if (toOrigin(origin) !== origin) {
      throw new QueryTagsError(
        'invalid-option',
        `allowedOrigins has ${JSON.stringify(origin)}, which is no origin; write it as browsers send it, e.g. "https://app.example.com"`,
      )
    }
  }
  return new Set(origins)
}

function isSameHost(origin: string, request: HandlerRequest): boolean {
  const host = request.header('host') ?? request.host
  const parsed = toUrl(origin)
  if (!parsed || host === undefined) return false
  // Parsed with the origin's protocol, so that its default port may be written or not.
  return parsed.host !== '' && parsed.host === toUrl(`${parsed.protocol}//${host}`)?.host
}

function deniedMessage(origin: string | undefined): string {
  const from = origin === undefined ? 'this origin' : JSON.stringify(origin.slice(0, 200))
  return `Requests from ${from} are not allowed. To allow them, add the origin to allowedOrigins in createTagInvalidationSystem().`
}

function toOrigin(text: string): string | undefined {
  const origin = toUrl(text)?.origin
  return origin === 'null' ? undefined : origin
}

function toUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    // Not a URL, so not an origin: compared with nothing.
    return undefined
  }
}
