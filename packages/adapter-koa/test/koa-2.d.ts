/** Koa 2, installed beside 3 under another name. What the tests use of it has the types of 3. */
declare module 'koa-2' {
  export { default } from 'koa'
}
