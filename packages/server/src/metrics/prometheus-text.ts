import type { Counter } from './counter.ts'
import type { Histogram } from './histogram.ts'
import type { Metrics } from './metrics.ts'

/** What is looked up when somebody asks. */
export interface Gauges {
  readonly connections: number
  readonly verifyAgeSeconds: number
  /** `undefined`: the registry does not count it. */
  readonly floorRaised: number | undefined
}

type Sample = readonly [suffix: string, value: number]

/** Metrics in the text format of Prometheus, version 0.0.4. */
export function toPrometheusText(metrics: Metrics, { connections, verifyAgeSeconds, floorRaised }: Gauges): string {
  return [
    family('connections', 'gauge', 'Open streams.', [['', connections]]),
    family(
      'connects_total',
      'counter',
      'Streams that were let in, by how they began.',
      byLabel('mode', metrics.connects),
    ),
    family(
      'refused_total',
      'counter',
      'Requests that were refused, by the code of the answer.',
      byLabel('code', metrics.refused),
    ),
    family(
      'records_total',
      'counter',
      'Invalidations and disconnects given to the registry, by result.',
      byLabel('result', metrics.records),
    ),
    family(
      'record_seconds',
      'histogram',
      'How long the registry took to record, or to fail.',
      buckets(metrics.recordSeconds),
    ),
    family(
      'bus_lag_seconds',
      'histogram',
      'From an invalidation being recorded by this process to its streams being told, in scopes with streams here; 0 if they were told first.',
      buckets(metrics.busLagSeconds),
    ),
    family('gaps_repaired_total', 'counter', 'Times that messages were missed and read from the registry instead.', [
      ['', metrics.gapsRepaired],
    ]),
    family(
      'resets_total',
      'counter',
      'Resets of one scope on one stream, by reason.',
      byLabel('reason', metrics.resets),
    ),
    family(
      'watch_reopens_total',
      'counter',
      'Watch requests for a stream that is not on this process; each opens a new one.',
      [['', metrics.watchReopens]],
    ),
    family('backlog_merges_total', 'counter', 'Invalidations that were merged into the backlog of a slow reader.', [
      ['', metrics.backlogMerges],
    ]),
    family(
      'verify_age_seconds',
      'gauge',
      'How long ago the registry confirmed the scope that it confirmed longest ago.',
      [['', verifyAgeSeconds]],
    ),
    ...(floorRaised === undefined
      ? []
      : [
          family('floor_raised_total', 'counter', 'Calls that made the registry forget tags for lack of room.', [
            ['', floorRaised],
          ]),
        ]),
  ].join('')
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const full = `query_tags_${name}`
  const lines = [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`]
  for (const [suffix, value] of samples) lines.push(`${full}${suffix} ${value}`)
  return `${lines.join('\n')}\n`
}

function byLabel(label: string, { counts }: Counter<string>): Sample[] {
  return [...counts].map(([value, count]) => [`{${label}="${value}"}`, count])
}

function buckets(histogram: Histogram): Sample[] {
  const { cumulative, sum } = histogram
  const samples = cumulative.map(({ bound, count }): Sample => [
    `_bucket{le="${bound === Infinity ? '+Inf' : bound}"}`,
    count,
  ])
  return [...samples, ['_sum', sum], ['_count', cumulative.at(-1)!.count]]
}
