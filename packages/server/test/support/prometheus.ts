/** One metric as Prometheus reads it. */
export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
  }[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`)
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`)
const LABEL = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/

/**
 * Reads the text format 0.0.4, and throws at whatever it does not allow: a sample before its HELP and TYPE or of another family, a family or a
 * sample that comes twice, a counter that falls below 0, a histogram whose buckets do not add up.
 */
export function parsePrometheus(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, Family>()
  const help = new Map<string, string>()
  let current: [name: string, family: Family] | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name, rest] = COMMENT.exec(line) ?? []
    if (keyword === 'HELP') {
      if (help.has(name!) || families.has(name!)) throw new Error(`a second HELP: ${line}`)
      help.set(name!, rest!)
    } else if (keyword === 'TYPE') {
      if (families.has(name!)) throw new Error(`a second TYPE: ${line}`)
      if (!/^(?:counter|gauge|histogram)$/.test(rest!)) throw new Error(`no type: ${line}`)
      current = [name!, { type: rest!, help: help.get(name!) ?? '', samples: [] }]
      families.set(...current)
    } else {
      readSample(line, current)
    }
  }
  for (const [name, family] of families) check(name, family)
  return families
}

function readSample(line: string, current: [string, Family] | undefined): void {
  const [, name, labelText = '', value] = SAMPLE.exec(line) ?? []
  if (!name || !NUMBER.test(value!)) throw new Error(`no sample: ${line}`)
  if (!current || name.replace(current[1].type === 'histogram' ? /_(?:bucket|sum|count)$/ : /^$/, '') !== current[0])
    throw new Error(`a sample of another family: ${line}`)
  const labels: Record<string, string> = {}
  for (let rest = labelText; rest !== '';) {
    const [whole, label, text] = LABEL.exec(rest) ?? []
    if (whole === undefined || label === undefined || label in labels) throw new Error(`no labels: ${line}`)
    labels[label] = text!.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    rest = rest.slice(whole.length)
  }
  const key = JSON.stringify([name, labels])
  if (current[1].samples.some((other) => JSON.stringify([other.name, other.labels]) === key))
    throw new Error(`twice: ${line}`)
  current[1].samples.push({ name, labels, value: Number(value!.replace('Inf', 'Infinity')) })
}

function check(name: string, { type, help, samples }: Family): void {
  if (!help) throw new Error(`${name} has no help`)
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`the counter ${name} is not called _total`)
  if (type !== 'gauge' && samples.some(({ value }) => value < 0)) throw new Error(`${name} is below 0`)
  if (type !== 'histogram') return
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`)
  const bounds = buckets.map(({ labels }) => Number(labels['le']!.replace('Inf', 'Infinity')))
  const counts = buckets.map(({ value }) => value)
  const total = samples.find((sample) => sample.name === `${name}_count`)?.value
  if (!isRising(bounds) || bounds.at(-1) !== Infinity || !isRising(counts) || counts.at(-1) !== total)
    throw new Error(`the buckets of ${name} do not add up`)
  if (!samples.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name} has no sum`)
}

function isRising(values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || value >= values[i - 1]!)
}
