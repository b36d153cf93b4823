import type { Clock } from '../clock.ts'
import { Refusal } from './refusal.ts'
import { BodyTooLarge, type HandlerRequest } from './request.ts'

export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
}

/**
 * The JSON of a POST. The content type is looked at even when the body was parsed before us: a page of another site can send any body
 * without asking, but not this type.
 *
 * @throws {Refusal} `unsupported-media-type`, `too-large`, `timeout`, `malformed-message`
 */
export async function readJson(request: HandlerRequest, clock: Clock, limits: BodyLimits): Promise<unknown> {
  const type = request.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    throw new Refusal('unsupported-media-type', 'The content type must be application/json')
  }
  if (Number(request.header('content-length') ?? 0) > limits.maxBodyBytes) throw tooLarge(limits)
  const body = await readInTime(request, clock, limits)
  return toJson(body, limits)
}

async function readInTime(request: HandlerRequest, clock: Clock, limits: BodyLimits): Promise<unknown> {
  const abort = new AbortController()
  let cancel: (() => void) | undefined
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(limits.bodyTimeoutMs, () => {
      reject(new Refusal('timeout', `The body did not arrive within ${limits.bodyTimeoutMs} ms`))
      abort.abort()
    })
  })
  try {
    return await Promise.race([request.readBody(limits.maxBodyBytes, abort.signal), late])
  } catch (error) {
    if (error instanceof Refusal) throw error
    if (error instanceof BodyTooLarge) throw tooLarge(limits)
    throw new Refusal('malformed-message', 'The body could not be read')
  } finally {
    cancel?.()
  }
}

function toJson(body: unknown, limits: BodyLimits): unknown {
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : body
  // Some other shape: parsed by the framework, within the limits that it has.
  if (typeof text !== 'string') return text
  if (text.length > limits.maxBodyBytes) throw tooLarge(limits)
  try {
    return JSON.parse(text) as unknown
  } catch {
    // The parser's message quotes the body, which the sender knows and logs need not.
    throw new Refusal('malformed-message', 'The body is not JSON')
  }
}

function tooLarge({ maxBodyBytes }: BodyLimits): Refusal {
  return new Refusal('too-large', `The body is over ${maxBodyBytes} bytes`)
}
