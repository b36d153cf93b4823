export { describeAdapter, type AdapterResults, type Flags } from './describe-adapter.ts'
export { BASE, PAGE_ORIGIN, type AppSetup, type Caller, type RunningApp, type StartApp } from './app.ts'
export { listen } from './listen.ts'
