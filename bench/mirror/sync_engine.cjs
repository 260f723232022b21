// stripe-sync-engine behind a bare HTTP server, or its backfill of one kind:
//   node sync_engine.cjs serve PORT | node sync_engine.cjs fill customer|subscription HOST PORT
// MODULES is where it is installed, DATABASE_URL, SECRET and KEY are what it needs.
const path = require("node:path");
const http = require("node:http");
const from = (name) => require(path.join(process.env.MODULES, "node_modules", name));
const { StripeSync, runMigrations } = from("@supabase/stripe-sync-engine");
const Stripe = from("stripe");

const schema = "stripe";

async function main([what, ...rest]) {
  const databaseUrl = process.env.DATABASE_URL;
  await runMigrations({ databaseUrl, schema });
  const sync = new StripeSync({
    schema,
    stripeSecretKey: process.env.KEY,
    stripeWebhookSecret: process.env.SECRET,
    autoExpandLists: false,
    backfillRelatedEntities: false,
    poolConfig: { connectionString: databaseUrl, max: 16 },
  });
  if (what === "fill") {
    const [object, host, port] = rest;
    sync.stripe = new Stripe(process.env.KEY, { host, port: Number(port), protocol: "http" });
    const started = process.hrtime.bigint();
    await sync.syncBackfill({ object });
    console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - started) / 1e9 }));
    process.exit(0);
  }
  const server = http.createServer((request, answer) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", async () => {
      try {
        await sync.processWebhook(Buffer.concat(parts), request.headers["stripe-signature"]);
        answer.writeHead(200, { "content-length": 0 }).end();
      } catch (error) {
        console.error(error);
        answer.writeHead(500, { "content-length": 0 }).end();
      }
    });
  });
  server.listen(Number(rest[0]), "127.0.0.1", () => console.log("ready"));
}

main(process.argv.slice(2));
