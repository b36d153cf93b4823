/** Nesting of arrays and objects in {@link canonicalJson}, the outermost included. */
export const MAX_JSON_DEPTH = 16

/** Whether a value is an object literal, or what `JSON.parse` makes: no array, no class instance. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // Not compared with Object.prototype, because the literals of another realm (an iframe, a vm) have one of their own. An array has that too,
  // but one step higher.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * JSON with sorted object keys: equal values have equal texts.
 *
 * @param refuse Called for a value that is not JSON, or nested too deep. What it returns is written in the place of that value.
 */
export function canonicalJson(value: unknown, refuse: (value: unknown, tooDeep: boolean) => string, depth = 1): string {
  // JSON.stringify writes -0 as 0, so the two are equal.
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value))
    return JSON.stringify(value)
  const isArray = Array.isArray(value)
  if (!isArray && !isPlainObject(value)) return refuse(value, false)
  if (depth > MAX_JSON_DEPTH) return refuse(value, true)
  // Strings put together by hand: every tag comes through here, several times.
  let text = ''
  if (isArray) {
    for (const item of value) text += `${text && ','}${canonicalJson(item, refuse, depth + 1)}`
    return `[${text}]`
  }
  for (const name of Object.keys(value).sort()) {
    text += `${text && ','}${JSON.stringify(name)}:${canonicalJson(value[name], refuse, depth + 1)}`
  }
  return `{${text}}`
}

/**
 * A short rendering of any value for an error message, three levels deep. It names what JSON would drop or write as null, and keeps both ends
 * of what is long: the end of a tag is its path.
 */
export function show(value: unknown): string {
  let text: string
  try {
    text = canonicalJson(value, describe, MAX_JSON_DEPTH - 2)
  } catch {
    // A getter or a proxy threw: the type has to do.
    text = typeof value
  }
  return text.length > 80 ? `${text.slice(0, 45)}…${text.slice(-34)}` : text
}

function describe(value: unknown, tooDeep: boolean): string {
  if (tooDeep) return '…'
  if (typeof value === 'object') return `<${value?.constructor.name}>`
  // oxlint-disable-next-line typescript/no-base-to-string -- objects were described above; a function shows its source
  return typeof value === 'bigint' ? `${value}n` : String(value)
}
