/** A variable that says so, and what its being there means. */
const SERVERLESS: Readonly<Record<string, string>> = {
  AWS_LAMBDA_FUNCTION_NAME: 'a function on AWS Lambda',
  VERCEL: 'a function on Vercel',
  NETLIFY: 'a function on Netlify',
  FUNCTIONS_WORKER_RUNTIME: 'a function on Azure',
  K_SERVICE: 'an instance on Cloud Run',
}

type Global = Partial<Pick<typeof globalThis, 'process' | 'navigator'>>

let hasWarned = false

/** Warns, once, a process without a `store` of which there are others, or will be: none would hear of what another one invalidated. */
export function warnIfOneOfMany(): void {
  const what = hasWarned ? undefined : findOthers(globalThis)
  if (what === undefined) return
  hasWarned = true
  console.warn(
    `query-tags: this process is ${what}, one of many or soon replaced, and its system has no store: clients of the others hear nothing ` +
      'of what it invalidates. Share one Redis: createTagInvalidationSystem({ store: new Keyv({ store: new KeyvRedis(url) }) })',
  )
}

/** What kind of process it is when it is hardly the only one. */
function findOthers({ process, navigator }: Global): string | undefined {
  if (navigator?.userAgent === 'Cloudflare-Workers') return 'a Cloudflare Worker'
  // Deno asks its user before it shows a variable.
  if (!process?.env || 'Deno' in globalThis) return undefined
  const { env } = process
  // A function that runs on its developer's machine is alone there.
  const isLocal = env['VERCEL_ENV'] === 'development' || env['NETLIFY_DEV'] !== undefined
  const variable = Object.keys(SERVERLESS).find((name) => env[name])
  if (variable && !isLocal) return SERVERLESS[variable]
  // Not imported: a module that not every runtime has. Node 18 does not have this call, either.
  const cluster = process.getBuiltinModule?.('node:cluster') as { readonly isWorker?: boolean } | undefined
  if (cluster?.isWorker) return 'a worker of node:cluster'
  // pm2 numbers its processes, in both of its modes.
  if (Number(env['NODE_APP_INSTANCE']) > 0) return `instance ${Number(env['NODE_APP_INSTANCE'])} of pm2`
  return undefined
}
