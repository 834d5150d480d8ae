module kubeseal-rs.test/peers/prometheus-operator

go 1.26.8

require github.com/prometheus-operator/prometheus-operator v0.87.1
