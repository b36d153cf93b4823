/** Express 4, installed beside 5 under another name. What the tests use of it has the types of 5. */
declare module 'express-4' {
  export { default } from 'express'
}
