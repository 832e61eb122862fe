module example.org/slots

go 1.22
