/** Express 4 under its alias: as far as these tests go, it has the types of Express 5. */
declare module 'express4' {
  import express from 'express'
  export default express
}
