module kubeseal-rs.test/peers/age-testkit

go 1.25.0

require c2sp.org/CCTV/age v0.0.0-20260829155415-4448f2097b2d
