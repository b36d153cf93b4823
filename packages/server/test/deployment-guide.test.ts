import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createTagInvalidationSystem } from '../src/create-system.ts'
import { ACL_RULE } from '../src/registry/redis/permissions.ts'
import { parsePrometheus } from './support/prometheus.ts'

const guide = readFileSync(new URL('../../../DEPLOYMENT.md', import.meta.url), 'utf8')
const families = parsePrometheus(createTagInvalidationSystem().metrics())

it('the guide explains every metric with its labels', () => {
  const explained = [...guide.matchAll(/^\| `(query_tags_\w+)(?:\{(\w+)\})?`/gm)].map(([, name, label]) => [
    name,
    label,
  ])

  const labelsOf = (name: string): string[] =>
    Object.keys(families.get(name)!.samples[0]!.labels).filter((label) => label !== 'le')
  expect(explained).toEqual([...families.keys()].map((name) => [name, labelsOf(name)[0]]))
})

it('the alerts of the guide are about metrics and labels that there are', () => {
  const alerts = [...guide.matchAll(/^ +expr: (.+)$/gm)].map(([, expression]) => expression!)
  const used = alerts.flatMap((expression) => [...expression.matchAll(/(query_tags_\w+)(?:\{(\w+)=~?"([^"]+)"\})?/g)])

  expect(alerts.length).toBeGreaterThan(5)
  for (const [, name, label, values] of used) {
    const family = families.get(name!.replace(/_bucket$/, ''))
    if (!family) throw new Error(`there is no ${name}`)
    if (label === undefined) continue
    const there = family.samples.map(({ labels }) => labels[label])
    expect(there).toEqual(expect.arrayContaining(values!.split('|')))
  }
})

it('the guide gives Redis the rule that is enough', () => {
  expect(guide).toContain(`>password ${ACL_RULE}\n`)
})
