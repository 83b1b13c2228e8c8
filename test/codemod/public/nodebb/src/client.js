'use strict'

const connection = require('./connection')

const options = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), database: 0 }
const db = { client: null }

require('./main')(db)
require('./hash')(db)
require('./sorted')(db)

db.open = async function () {
  if (!db.client) db.client = await connection.connect(options)
  return db
}

exports.redis = db
exports.options = options
exports.shutdown = async function () {
  if (db.client) await db.client.quit()
}
