import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsdown'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const own = fileURLToPath(new URL('..', import.meta.url))
const appsDirectory = fileURLToPath(new URL('../apps', import.meta.url))

const packed = ['core', 'server', ...['express', 'hono', 'fastify', 'koa', 'elysia'].map((name) => `adapter-${name}`)]

/** For Node 18. */
const OLD_NODE_SERVER = 'hono-node-server-1'

interface Manifest {
  version: string
  packageManager: string
  exports: Record<string, string | { 'query-tags-source': string }>
  devDependencies: Record<string, string>
}

/**
 * Makes a project in an empty directory that has our packages as npm would serve them, the frameworks, and the apps as JavaScript.
 * Nothing in it leads back to the sources.
 */
export async function installPacked(directory: string): Promise<void> {
  const workspace = join(directory, 'workspace')
  await buildCopies(workspace)
  const tarballs = join(directory, 'tarballs')
  const { packageManager } = readManifest(root)
  run('npx', ['-y', packageManager, '-r', 'pack', '--pack-destination', tarballs], workspace)

  install(join(directory, 'project'), tarballs)
}

/** Copies of the packages, built, so that a build that runs beside us does not matter. */
async function buildCopies(workspace: string): Promise<void> {
  mkdirSync(workspace, { recursive: true })
  cpSync(join(root, 'pnpm-workspace.yaml'), join(workspace, 'pnpm-workspace.yaml'))
  writeFileSync(join(workspace, 'package.json'), '{ "private": true }')
  for (const name of packed) {
    const to = join(workspace, 'packages', name)
    cpSync(join(root, 'packages', name, 'src'), join(to, 'src'), { recursive: true })
    const { devDependencies: _, ...manifest } = readManifest(join(root, 'packages', name))
    writeFileSync(join(to, 'package.json'), JSON.stringify(manifest))
    // From these pnpm learns what stands for `workspace:`.
    const links = join(to, 'node_modules/@query-tags')
    mkdirSync(links, { recursive: true })
    for (const other of ['core', 'server']) symlinkSync(join(workspace, 'packages', other), join(links, other))

    const sources = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [] : [target['query-tags-source']],
    )
    await build({
      config: false,
      cwd: to,
      entry: Object.fromEntries(sources.map((source) => [source.replace(/^\.\/src\/|\.ts$/g, ''), source])),
      format: 'esm',
      platform: 'neutral',
      target: 'es2022',
      fixedExtension: false,
      dts: false,
      tsconfig: join(root, 'tsconfig.json'),
      logLevel: 'error',
    })
  }
}

function install(project: string, tarballs: string): void {
  mkdirSync(project, { recursive: true })
  const ours = readdirSync(tarballs).map((file) => [
    file.replace(/^query-tags-(.*)-\d.*$/, '@query-tags/$1'),
    `file:${join(tarballs, file)}`,
  ])
  const dependencies = { ...readFrameworks(), ...Object.fromEntries(ours) }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], project)
  for (const file of readdirSync(appsDirectory)) {
    const text = stripTypeScriptTypes(readFileSync(join(appsDirectory, file), 'utf8'))
    writeFileSync(join(project, file.replace(/\.ts$/, '.mjs')), text.replaceAll(/(\.\/[^'`]+)\.ts(['`])/g, '$1.mjs$2'))
  }
}

/** At the versions that this package has them. */
function readFrameworks(): Record<string, string> {
  const names = ['@elysiajs/node', '@hono/node-server', 'elysia', 'express', 'fastify', 'hono', 'koa', 'koa-mount']
  const installed = names.map((name) => [name, readManifest(join(own, 'node_modules', name)).version])
  return { ...Object.fromEntries(installed), [OLD_NODE_SERVER]: readManifest(own).devDependencies[OLD_NODE_SERVER]! }
}

function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest
}

function run(command: string, args: string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
}
